import { ControlError } from "@handover/simulators";
import { startSimulators } from "../../support/checked-simulators.ts";
import type { Desk } from "./desk.ts";

/** A simulated Live Agent. */
export async function openLiveAgentDesk(): Promise<Desk> {
  const simulators = await startSimulators({ liveAgent: { messagesPerMinute: 1_000_000, webhookTimeoutMs: 1_000 } });
  const desk = simulators.liveAgent;
  let lastId = 0;

  function isThere(id: string): boolean {
    try {
      desk.conversation(id);
      return true;
    } catch (error) {
      if (error instanceof ControlError) return false;
      throw error;
    }
  }

  return {
    plugin: "live-agent",
    provider: "live-agent",
    settings: { baseUrl: desk.baseUrl, accountId: desk.accountId, inboxId: desk.inboxId, apiKey: desk.apiKey },
    isDense: false,
    canReopen: false,
    canBeAsked: true,
    newTickets() {
      const ids: string[] = [];
      for (; isThere(String(lastId + 1)); lastId += 1) ids.push(String(lastId + 1));
      return ids;
    },
    read(id) {
      const { status, messages } = desk.conversation(id);
      return { id, isOpen: status !== "closed", lines: messages.map(({ author, text }) => ({ author, text })) };
    },
    accept: (id) => void desk.accept(id),
    say: (id, text) => void desk.say(id, { text }),
    transfer: (id) => void desk.transfer(id, { to: "Robin" }),
    leave: (id) => void desk.leave(id),
    close: (id) => void desk.close(id),
    reopen: (id) => void desk.reopen(id),
    setFaults: (faults, seed) =>
      void desk.setFaults({
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
    setWebhookUrl: (url) => desk.setWebhookUrl(url),
    calls: (ids) => desk.requests().filter(({ path }) => ids.some((id) => path.includes(`/conversations/${id}`))),
    stop: () => simulators.close(),
  };
}
