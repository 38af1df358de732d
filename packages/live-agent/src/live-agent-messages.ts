import { ConversationGoneError, type Call, type Handover, type Message, type MessagePart, type SentPart } from "@handover/core";
import { messageAsText, splitText } from "@handover/provider-utils";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { markerAttribute } from "./live-agent-deliveries.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";
import type { WireMessage } from "./live-agent-wire.ts";

type LiveAgentHandover = Handover<LiveAgentOptions, LiveAgentState>;

const longestContent = 150_000;
/** Clocks of two machines differ. */
const clockToleranceMs = 120_000;
const mostPages = 100;

/** As text: the agent's page shows cards and choices of an API inbox only as information. Section 3.4 of the reference page. */
export function planMessage(message: Message): MessagePart[] {
  const { id, author, sentAt } = message;
  const words = messageAsText(message);
  const text = words !== "" && author.name && isOfAnotherPerson(message) ? `${author.name}:\n${words}` : words;
  return splitText(text, longestContent, "characters").map((part) => ({ message: { id, author, text: part, sentAt } }));
}

export async function sendMessage(
  client: LiveAgentClient,
  handover: LiveAgentHandover,
  part: MessagePart,
  call: Call,
): Promise<{ vendorMessageId: string }> {
  if (isTerminal(handover.state.status)) {
    // A message would open the conversation again, and no agent expects it.
    throw new ConversationGoneError({ message: "The conversation at Live Agent is over." });
  }
  const fields = messageFields(part, call.idempotencyKey);
  return { vendorMessageId: await client.createMessage(handover.state.conversationId, fields, call.signal) };
}

/** Reads back until the time of the first try, and looks for our marker. */
export async function findSentMessage(
  client: LiveAgentClient,
  handover: LiveAgentHandover,
  sent: SentPart,
  call: Call,
): Promise<{ vendorMessageId: string } | "absent" | "unknown"> {
  const { conversationId } = handover.state;
  let before: string | undefined;
  let isInDoubt = false;
  for (let page = 0; page < mostPages; page += 1) {
    const messages = await client.listMessages(conversationId, before === undefined ? {} : { before }, call.signal);
    const found = messages.find((message) => hasMarker(message, sent.idempotencyKey));
    if (found) return { vendorMessageId: found.id };
    isInDoubt ||= messages.some((message) => couldBe(message, sent));
    const oldest = oldestOf(messages);
    const isFarEnough = !oldest || oldest.id === before || isBefore(oldest, sent.firstAttemptAtMs - clockToleranceMs);
    if (isFarEnough) return isInDoubt ? "unknown" : "absent";
    before = oldest.id;
  }
  return "unknown";
}

function messageFields(part: MessagePart, key: string): Record<string, unknown> {
  const { author, text, sentAt } = part.message;
  const sentAtMs = Date.parse(sentAt);
  return {
    content: text,
    // Without a type the customer's words would stand there as an agent's.
    message_type: author.role === "user" ? "incoming" : "outgoing",
    private: false,
    source_id: key,
    content_attributes: { [markerAttribute]: key },
    // The original time for the agent, and in old versions all that tells our messages from others.
    external_created_at: Math.floor((Number.isNaN(sentAtMs) ? 0 : sentAtMs) / 1000),
  };
}

/** Agents and systems of an earlier handover in the transcript: they are not the bot that speaks here. */
function isOfAnotherPerson(message: Message): boolean {
  return message.author.role === "agent" || message.author.role === "system";
}

function hasMarker(message: WireMessage, key: string): boolean {
  return message.source_id === key || message.content_attributes[markerAttribute] === key;
}

/** A server below 3.4 keeps neither marker: then the time we gave and the text say "perhaps", and nothing says "surely". */
function couldBe(message: WireMessage, sent: SentPart): boolean {
  if (message.source_id !== undefined || message.content_attributes[markerAttribute] !== undefined) return false;
  const expected = messageFields(sent.part, sent.idempotencyKey);
  return message.content === expected["content"] && message.content_attributes["external_created_at"] === expected["external_created_at"];
}

function oldestOf(messages: readonly WireMessage[]): WireMessage | undefined {
  return [...messages].sort((left, right) => Number(left.id) - Number(right.id))[0];
}

function isBefore(message: WireMessage, timeMs: number): boolean {
  return typeof message.created_at === "number" && message.created_at * 1000 < timeMs;
}
