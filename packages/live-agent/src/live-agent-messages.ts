import {
  ConversationGoneError,
  ProviderApiError,
  type Call,
  type Handover,
  type Message,
  type MessagePart,
  type SentPart,
} from "@handover/core";
import { messageAsText, splitText } from "@handover/provider-utils";
import { z } from "zod";
import { openFiles } from "./live-agent-attachments.ts";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { toSentContent, type SentContent } from "./live-agent-content.ts";
import { markerAttribute } from "./live-agent-deliveries.ts";
import type { PublicInbox } from "./live-agent-public.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";
import { toWireId, type WireMessage } from "./live-agent-wire.ts";

type LiveAgentHandover = Handover<LiveAgentOptions, LiveAgentState>;

/** What a message is sent with. */
export interface MessageParts {
  readonly settings: LiveAgentSettings;
  readonly client: LiveAgentClient;
  readonly inbox: PublicInbox;
}

/** What a choice of the desk was shown with. */
const pressedSchema = z.object({ title: z.string(), value: z.string() });

const longestContent = 150_000;
const mostFiles = 15;
/** Clocks of two machines differ. */
const clockToleranceMs = 120_000;
const mostPages = 100;

/**
 * Text, then files. The text says everything, choices and cards too, because the agent's page shows those of an API inbox only as
 * information; what they are goes along as `content_type`. Section 3.4 of the reference page.
 */
export function planMessage(message: Message): MessagePart[] {
  const { id, author, sentAt } = message;
  const { attachments = [], ...rest } = message;
  const own = { id, author, sentAt };
  const words = messageAsText(rest);
  const text = words !== "" && author.name && isOfAnotherPerson(message) ? `${author.name}:\n${words}` : words;
  const texts = splitText(text, longestContent, "characters");
  const content = texts.length === 1 ? toSentContent(message) : undefined;
  const parts: MessagePart[] = texts.map((part, index) => ({
    message: { ...own, text: part, ...(index === 0 && message.answer ? { answer: message.answer } : {}) },
    ...(content ? { data: { content } as unknown as NonNullable<MessagePart["data"]> } : {}),
  }));
  const chunks = Array.from({ length: Math.ceil(attachments.length / mostFiles) }, (_, index) =>
    attachments.slice(index * mostFiles, (index + 1) * mostFiles),
  );
  const [first, ...others] = chunks;
  if (!first) return parts;
  // A caption stands with its file.
  const caption = parts.pop();
  return [
    ...parts,
    { message: { ...own, ...caption?.message, attachments: first } },
    ...others.map((files) => ({ message: { ...own, attachments: files } })),
  ];
}

/** @throws ConversationGoneError when it is over; HandoverError `ATTACHMENT_TOO_LARGE` or `ATTACHMENT_REFUSED` for its files */
export async function sendMessage(
  parts: MessageParts,
  handover: LiveAgentHandover,
  part: MessagePart,
  call: Call,
): Promise<{ vendorMessageId: string }> {
  if (isTerminal(handover.state.status)) {
    // A message would open the conversation again, and no agent expects it.
    throw new ConversationGoneError({ message: "The conversation at Live Agent is over." });
  }
  const vendorMessageId = part.message.attachments?.length
    ? await sendFiles(parts, handover, part, call)
    : await sendText(parts, handover, part, call);
  await markAnswer(parts, handover, part.message, call);
  return { vendorMessageId };
}

async function sendText({ settings, client }: MessageParts, handover: LiveAgentHandover, part: MessagePart, call: Call): Promise<string> {
  const { conversationId } = handover.state;
  const fields = messageFields(settings, part, call.idempotencyKey);
  const sent = await client.createMessage(conversationId, fields, call.signal);
  if (sent !== undefined) return sent;
  // The server does not know this kind of content, or not with these items: the text says it all.
  const { content_type: _kind, content_attributes: _items, ...plain } = fields;
  return plainId(await client.createMessage(conversationId, { ...plain, ...marked(call.idempotencyKey) }, call.signal));
}

function plainId(sent: string | undefined): string {
  if (sent !== undefined) return sent;
  throw new ProviderApiError({ code: "VENDOR_REFUSED_CALL", message: "Live Agent does not take the message (422).", status: 422 });
}

async function sendFiles({ settings, client }: MessageParts, handover: LiveAgentHandover, part: MessagePart, call: Call): Promise<string> {
  const { conversationId } = handover.state;
  const { files, missing, close } = await openFiles(settings, part.message.attachments ?? [], call);
  try {
    // A file that is no longer there is named instead.
    const text = messageAsText({ ...part.message, attachments: missing });
    const fields = messageFields(settings, { ...part, message: { ...part.message, text } }, call.idempotencyKey);
    if (files.length === 0) return plainId(await client.createMessage(conversationId, fields, call.signal));
    return await client.createMessageWithFiles(conversationId, fields, files, call.signal);
  } finally {
    close();
  }
}

/** The desk shows which button was pressed at the message that offered it, where its server can. The text is there already. */
async function markAnswer({ inbox }: MessageParts, handover: LiveAgentHandover, message: Message, call: Call): Promise<void> {
  const { answer } = message;
  const values = pressedSchema.safeParse(answer?.providerData).data;
  // A question of the bot has an id that the desk does not know.
  if (!answer || !values || !/^\d+$/.test(answer.messageId)) return;
  try {
    await inbox.submitValues(handover, answer.messageId, [values], call);
  } catch (error) {
    call.logger.debug("the answer could not be marked at the message that asked", { code: (error as { code?: string }).code ?? "unknown" });
  }
}

/** Reads back until the time of the first try, and looks for our marker. */
export async function findSentMessage(
  { client, settings }: Pick<MessageParts, "client" | "settings">,
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
    isInDoubt ||= messages.some((message) => couldBe(settings, message, sent));
    const oldest = oldestOf(messages);
    const isFarEnough = !oldest || oldest.id === before || isBefore(oldest, sent.firstAttemptAtMs - clockToleranceMs);
    if (isFarEnough) return isInDoubt ? "unknown" : "absent";
    before = oldest.id;
  }
  return "unknown";
}

function messageFields(settings: LiveAgentSettings, part: MessagePart, key: string): Record<string, unknown> {
  const { author, text, sentAt } = part.message;
  const { content } = (part.data ?? {}) as { content?: SentContent };
  const sentAtMs = Date.parse(sentAt);
  return {
    ...(text === undefined || text === "" ? {} : { content: text }),
    // Without a type the customer's words would stand there as an agent's.
    message_type: author.role === "user" ? "incoming" : "outgoing",
    ...botSender(settings, author.role),
    private: false,
    ...(content ? { content_type: content.contentType } : {}),
    ...marked(key, content),
    // The original time for the agent, and in old versions all that tells our messages from others.
    external_created_at: Math.floor((Number.isNaN(sentAtMs) ? 0 : sentAtMs) / 1000),
  };
}

/** Below 4.9 only the items survive of the attributes, below 3.4 no `source_id`. */
function marked(key: string, content?: SentContent): Record<string, unknown> {
  return { source_id: key, content_attributes: { ...(content ? { items: content.items } : {}), [markerAttribute]: key } };
}

/** So that agents see a bot's name instead of the technical user's. */
function botSender({ agentBotId }: LiveAgentSettings, role: string): Record<string, unknown> {
  return agentBotId === undefined || role !== "bot" ? {} : { sender_type: "AgentBot", sender_id: toWireId(agentBotId) };
}

/** Agents and systems of an earlier handover in the transcript: they are not the bot that speaks here. */
function isOfAnotherPerson(message: Message): boolean {
  return message.author.role === "agent" || message.author.role === "system";
}

function hasMarker(message: WireMessage, key: string): boolean {
  return message.source_id === key || message.content_attributes[markerAttribute] === key;
}

/** A server below 3.4 keeps neither marker: then the time we gave and the text say "perhaps", and nothing says "surely". */
function couldBe(settings: LiveAgentSettings, message: WireMessage, sent: SentPart): boolean {
  if (message.source_id !== undefined || message.content_attributes[markerAttribute] !== undefined) return false;
  const expected = messageFields(settings, sent.part, sent.idempotencyKey);
  const isSameText = (message.content ?? "") === (expected["content"] ?? "") || sent.part.message.attachments?.length !== undefined;
  return isSameText && message.content_attributes["external_created_at"] === expected["external_created_at"];
}

function oldestOf(messages: readonly WireMessage[]): WireMessage | undefined {
  return [...messages].sort((left, right) => Number(left.id) - Number(right.id))[0];
}

function isBefore(message: WireMessage, timeMs: number): boolean {
  return typeof message.created_at === "number" && message.created_at * 1000 < timeMs;
}
