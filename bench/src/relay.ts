import type { HandoverProvider } from "@handover/core";
import { createHandoverRuntime } from "@handover/runtime";
import type { Store } from "@handover/runtime";
import stubProvider from "../../test/catalogue/support/stub-provider.ts";

/** A runtime with conversations that a desk has. The desk is in this process and costs nothing: what is measured is ours. */
export interface Relay {
  /** Resolves when the desk has the message. */
  userSays(conversation: number, text: string): Promise<void>;
  /** Resolves when the message is shown to the user. */
  agentSays(conversation: number, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Which way a message goes. */
export type Direction = "user to desk" | "desk to user";

export const directions: readonly Direction[] = ["user to desk", "desk to user"];

export function relayOne(relay: Relay, direction: Direction, conversation: number, text: string): Promise<void> {
  return direction === "user to desk" ? relay.userSays(conversation, text) : relay.agentSays(conversation, text);
}

const endpoint = "web";
const secret = "a-secret-of-the-benchmark";
/** Nothing is written or asked for on a timer meanwhile. */
const timing = { pollMs: 600_000, reorderWindowMs: 20 };

/** Starts a runtime on the store and hands over so many conversations. */
export async function openRelay(store: Store, conversations: number): Promise<Relay> {
  const arrivals = createArrivals();
  const runtime = await createHandoverRuntime({
    store,
    providers: [telling((text) => arrivals.arrive(`desk ${text}`))],
    connections: { desk: { provider: stubProvider.name, settings: {}, webhookSecrets: [secret] } },
    endpoints: [{ token: endpoint, handover: { connections: ["desk"] } }],
    publicUrl: "http://127.0.0.1:1",
    timing,
  });
  await runtime.start();
  const reading = new AbortController();
  const positions = new Map<number, number>();

  async function readAlong(number: number): Promise<void> {
    for await (const entry of runtime.follow({ endpoint, conversation: `${number}`, signal: reading.signal })) {
      if (entry.kind === "hidden") continue;
      if (entry.status) arrivals.arrive(`${number} ${entry.status}`);
      if (entry.author?.role === "agent" && entry.text !== undefined) arrivals.arrive(`user ${entry.text}`);
    }
  }

  async function agentSays(number: number, text: string): Promise<void> {
    const position = (positions.get(number) ?? 0) + 1;
    positions.set(number, position);
    const shown = arrivals.next(`user ${text}`);
    const body = JSON.stringify([{ conversation: `${number}`, position, text }]);
    await runtime.handleWebhook("desk", new Request(`http://127.0.0.1:1/handover/desk/${secret}`, { method: "POST", body }));
    await shown;
  }

  async function handOver(number: number): Promise<void> {
    const conversation = `${number}`;
    await runtime.receiveMessage({ endpoint, conversation, message: { id: "first", text: "a person, please" } });
    const queued = arrivals.next(`${number} queued`);
    void readAlong(number);
    await runtime.requestHandover({ endpoint, conversation });
    await queued;
    // The first that a desk tells waits for what may have been before it; what follows on it does not.
    await agentSays(number, `hello ${number}`);
  }

  await Promise.all(Array.from({ length: conversations }, (_, number) => handOver(number)));
  return {
    async userSays(number, text) {
      const arrived = arrivals.next(`desk ${text}`);
      await runtime.receiveMessage({ endpoint, conversation: `${number}`, message: { id: text, text } });
      await arrived;
    },
    agentSays,
    async close() {
      reading.abort();
      await runtime.stop();
    },
  };
}

/** The desk says what it gets. */
function telling(tell: (text: string) => void): HandoverProvider {
  return {
    ...stubProvider,
    connect: (settings, context) => ({
      ...stubProvider.connect(settings, context),
      async sendMessage(_handover, { message }) {
        tell(message.text ?? "");
        return {};
      },
    }),
  };
}

function createArrivals() {
  const waiting = new Map<string, () => void>();
  return {
    next: (what: string) => new Promise<void>((resolve) => void waiting.set(what, resolve)),
    arrive(what: string): void {
      waiting.get(what)?.();
      waiting.delete(what);
    },
  };
}
