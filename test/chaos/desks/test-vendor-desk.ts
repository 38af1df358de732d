import { fileURLToPath } from "node:url";
import { createTestVendor } from "@handover/testkit/test-vendor";
import type { Desk } from "./desk.ts";

/** A test vendor; without read-back it cannot be asked whether something arrived, and does not echo. */
export async function openTestVendorDesk(options: { readonly hasReadBack: boolean }): Promise<Desk> {
  const { hasReadBack } = options;
  const vendor = await createTestVendor({ abilities: { findSentMessage: hasReadBack, findStarted: hasReadBack } });
  const { backend } = vendor;
  const known = new Set<string>();

  return {
    plugin: hasReadBack ? vendor.pluginFile : fileURLToPath(new URL("./silent-test-vendor.ts", import.meta.url)),
    provider: "test-vendor",
    settings: vendor.settings,
    isDense: true,
    canReopen: true,
    canBeAsked: hasReadBack,
    newTickets() {
      const fresh = backend
        .conversations()
        .map(({ id }) => id)
        .filter((id) => !known.has(id));
      for (const id of fresh) known.add(id);
      return fresh;
    },
    read(id) {
      const { status, messages } = backend.conversation(id);
      const roles = { customer: "user", automation: "system", bot: "bot", agent: "agent" } as const;
      return { id, isOpen: status !== "closed", lines: messages.map(({ author, text }) => ({ author: roles[author], text })) };
    },
    accept: (id) => backend.people.accept(id),
    say: (id, text) => void backend.people.say(id, text),
    transfer: (id) => backend.people.transfer(id, { agent: "agent-2" }),
    leave: (id) => backend.people.leave(id),
    close: (id) => backend.people.close(id),
    reopen: (id) => backend.people.reopen(id),
    setFaults: (faults, seed) =>
      backend.setFaults({
        seed,
        status: 503,
        latencyMs: faults.latencyMs ?? 0,
        failRate: faults.unavailableRate ?? 0,
        loseAnswerRate: faults.lostAnswerRate ?? 0,
        duplicateWebhookRate: faults.duplicateWebhookRate ?? 0,
        dropWebhookRate: faults.dropWebhookRate ?? 0,
        reorderWebhooks: faults.reorderWebhooks ?? false,
        delayWebhooksMs: faults.delayWebhooksMs ?? 0,
      }),
    setWebhookUrl: (url) => backend.setWebhookUrl(url),
    calls: (ids) => backend.calls.filter(({ path }) => ids.some((id) => path.includes(`/conversations/${id}`))),
    stop: () => vendor.close(),
  };
}
