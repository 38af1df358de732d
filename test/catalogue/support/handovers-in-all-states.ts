import {
  HandoverError,
  isWake,
  type HandoverConnection,
  type HandoverProvider,
  type StartRequest,
  type Translation,
  type VendorDelivery,
} from "@handover/core";
import type { Bot, HandoverRuntime, HandoverRuntimeOptions } from "@handover/runtime";
import { z } from "zod";
import type { Said } from "../../runtime/support/scripted-desks.ts";

/** A desk at which conversations get stuck in every way, by the first part of their name, until it is let go. */
export interface StuckDesk {
  readonly runtime: Pick<HandoverRuntimeOptions, "providers" | "connections" | "endpoints">;
  /** From now on everything works. */
  letGo(): void;
  /** How often something arrived: `start <conversation>`, `send <conversation> <text>`, `end <conversation>`. */
  count(call: string): number;
  deliver(runtime: HandoverRuntime, conversation: string, said: Said, delivery?: Partial<VendorDelivery>): Promise<void>;
}

const ticketOf = (conversation: string) => `ticket:${conversation}`;

/**
 * Who has a time limit at the endpoint `timed` and is carried by the vendor at `detached`, shortly; who must not be silent for so
 * long either, as the bot says at `silent`, as the endpoint says of users at `left` and of the desk at `unanswered`.
 */
export function createStuckDesk(limits: { readonly timeLimitMs: number; readonly onTimerSet: () => void }): StuckDesk {
  const { timeLimitMs } = limits;
  let isStuck = true;
  const calls: string[] = [];
  const made = new Set<string>();
  const is = (conversation: string, state: string) => isStuck && conversation.startsWith(state);
  const started = ({ conversation, transcript }: StartRequest) => ({
    references: [ticketOf(conversation)],
    state: {},
    transcriptThrough: transcript.at(-1)?.seq ?? 0,
    relay: conversation.startsWith("detached") ? ("none" as const) : ("both" as const),
  });
  const refused = (outcome: "not-applied" | "unknown") =>
    new HandoverError({ code: "NOT_NOW", message: "Not now.", isRetryable: true, outcome });

  const connection: HandoverConnection = {
    accountKey: "stuck",
    async start(request) {
      if (is(request.conversation, "requested")) throw refused("not-applied");
      calls.push(`start ${request.conversation}`);
      made.add(request.conversation);
      if (is(request.conversation, "doubtful")) throw refused("unknown");
      return started(request);
    },
    async findStarted(request) {
      if (isStuck) return "unknown";
      return made.has(request.conversation) ? started(request) : "absent";
    },
    async sendMessage({ conversation }, part) {
      if (is(conversation, "sending")) throw refused("not-applied");
      calls.push(`send ${conversation} ${part.message.text ?? ""}`);
      if (is(conversation, "unclear")) throw refused("unknown");
      return { vendorMessageId: part.message.id };
    },
    async findSentMessage({ conversation }, { part }) {
      if (isStuck) throw refused("unknown");
      return calls.includes(`send ${conversation} ${part.message.text ?? ""}`) ? { vendorMessageId: part.message.id } : "absent";
    },
    async end({ conversation }) {
      if (is(conversation, "ending")) throw refused("not-applied");
      calls.push(`end ${conversation}`);
      return "ended";
    },
    receiveWebhook: async ({ body }) => ({ deliveries: JSON.parse(Buffer.from(body).toString("utf8")) as VendorDelivery[] }),
    translate: (_handover, delivery) => (isWake(delivery) ? wokenUp(delivery.atMs) : (delivery.payload as unknown as Translation)),
  };
  const provider: HandoverProvider = {
    specificationVersion: "v1",
    name: "stuck",
    title: "Stuck desk",
    settings: z.strictObject({}),
    options: z.strictObject({}),
    state: { version: 1, schemas: { 1: z.record(z.string(), z.json()) } },
    connect: () => connection,
  };
  const connections = ["stuck"];
  return {
    runtime: {
      providers: [provider],
      connections: { stuck: { provider: "stuck", settings: {} } },
      endpoints: [
        { token: "web", handover: { connections } },
        { token: "timed", handover: { connections, acceptTimeoutMs: timeLimitMs } },
        { token: "detached", handover: { connections, detachedAfterMs: timeLimitMs } },
        { token: "silent", handover: { connections }, bot: timingBot(timeLimitMs, limits.onTimerSet) },
        { token: "left", handover: { connections, userIdleTimeoutMs: timeLimitMs } },
        { token: "unanswered", handover: { connections, agentIdleTimeoutMs: timeLimitMs } },
      ],
    },
    letGo: () => void (isStuck = false),
    count: (call) => calls.filter((one) => one === call).length,
    async deliver(runtime, conversation, said, delivery = {}) {
      const payload = { events: [], ...said };
      const body = JSON.stringify([{ references: [ticketOf(conversation)], payload, ...delivery }]);
      const { status } = await runtime.handleWebhook(
        "stuck",
        new Request("http://127.0.0.1/handover/stuck/stuck/x", { method: "POST", body }),
      );
      if (status !== 200) throw new Error(`The webhook was answered with ${status}.`);
    },
  };
}

/** A bot that asks for people, sets its timer in the queue, and takes the user back when it goes off. */
function timingBot(timeLimitMs: number, onTimerSet: () => void): Bot {
  return {
    events: ["queued"],
    async answer({ message, event }) {
      if (message) return { handover: {} };
      if (event?.type === "inactive") return { messages: [{ text: "timer went off" }], endHandover: true };
      onTimerSet();
      return { inactivityTimer: { minutes: timeLimitMs / 60_000 } };
    },
  };
}

/** What an agent says, as an event. */
export function agentSays(text: string): Said {
  const message = { id: text, author: { role: "agent" as const, id: "a" }, text, sentAt: new Date().toISOString() };
  return { events: [{ type: "message-received", message }] };
}

function wokenUp(atMs: number): Translation {
  const message = { id: `wake:${atMs}`, author: { role: "system" as const }, text: "woken up", sentAt: new Date(atMs).toISOString() };
  return { events: [{ type: "message-received", message }] };
}
