import type { Call, CaughtUp, Clock, Handover, Json } from "@handover/core";
import { z } from "zod";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { conversationDelivery, messageDelivery, referencesOf } from "./live-agent-deliveries.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import type { LiveAgentState } from "./live-agent-state.ts";
import type { WireMessage } from "./live-agent-wire.ts";

const cursorSchema = z.object({ afterId: z.number() });

/** What was read within this time is read again: a message with a lower id may be committed after one with a higher id. */
const overlapMs = 60_000;
const fullPage = 100;
const smallPage = 20;
const mostPages = 100;

/** All messages since the cursor, and how the conversation stands. Sections 3.3 and 3.4 of the reference page. */
export async function catchUp(
  client: LiveAgentClient,
  clock: Clock,
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  cursor: Json | undefined,
  call: Call,
): Promise<CaughtUp> {
  const { conversationId, sourceId } = handover.state;
  const afterId = cursorSchema.safeParse(cursor).data?.afterId ?? 0;
  const read = (query: { before?: string; after?: string }): Promise<WireMessage[]> =>
    client.listMessages(conversationId, query, call.signal);
  const messages = await readMessages(read, afterId);
  // After the messages: what is said to be over must not hide a message that was written before.
  const conversation = await client.getConversation(conversationId, call.signal);
  const references = referencesOf(conversationId, sourceId);
  return {
    deliveries: [
      ...messages.filter((message) => !isActivity(message)).map((message) => messageDelivery(message, references)),
      conversationDelivery(conversation, references, true),
    ],
    cursor: { afterId: nextAfterId(messages, afterId, clock.now() - overlapMs) },
    hasMore: false,
  };
}

type Read = (query: { before?: string; after?: string }) => Promise<WireMessage[]>;

async function readMessages(read: Read, afterId: number): Promise<WireMessage[]> {
  const found = new Map<number, WireMessage>();
  if (afterId === 0) await readBackwards(read, afterId, found);
  else await readForwards(read, afterId, found);
  return [...found.entries()].sort(([left], [right]) => left - right).map(([, message]) => message);
}

/** Pages of 100 since 2.16. Older servers ignore `after` and answer the last 20: then everything is read from the end. */
async function readForwards(read: Read, afterId: number, found: Map<number, WireMessage>): Promise<void> {
  let last = afterId;
  for (let page = 0; page < mostPages; page += 1) {
    const messages = await read({ after: String(last) });
    const ids = messages.map(idOf);
    if (messages.length === smallPage || ids.some((id) => id <= last)) return readBackwards(read, afterId, found);
    keep(messages, afterId, found);
    if (messages.length < fullPage) return;
    last = Math.max(...ids);
  }
}

async function readBackwards(read: Read, afterId: number, found: Map<number, WireMessage>): Promise<void> {
  let first = Infinity;
  for (let page = 0; page < mostPages; page += 1) {
    const messages = await read(first === Infinity ? {} : { before: String(first) });
    keep(messages, afterId, found);
    const oldest = Math.min(...messages.map(idOf));
    if (messages.length === 0 || oldest <= afterId || oldest >= first) return;
    first = oldest;
  }
}

function keep(messages: readonly WireMessage[], afterId: number, found: Map<number, WireMessage>): void {
  for (const message of messages) {
    if (idOf(message) > afterId) found.set(idOf(message), message);
  }
}

function nextAfterId(messages: readonly WireMessage[], afterId: number, untilMs: number): number {
  const settled = messages.filter(({ created_at: createdAt }) => typeof createdAt === "number" && createdAt * 1000 <= untilMs);
  return Math.max(afterId, ...settled.map(idOf));
}

function idOf(message: WireMessage): number {
  return Number(message.id);
}

function isActivity(message: WireMessage): boolean {
  return message.message_type === 2 || message.message_type === "activity";
}
