import {
  ConversationGoneError,
  HandoverError,
  ProviderApiError,
  type Attachment,
  type Call,
  type Handover,
  type Message,
  type MessagePart,
  type SentPart,
} from "@handover/core";
import { messageAsText, splitText } from "@handover/provider-utils";
import { readPages } from "./eightbyeight-catch-up.ts";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import { timeOf } from "./eightbyeight-deliveries.ts";
import { unsupported } from "./eightbyeight-errors.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions, EightbyeightSettings } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import type { WireMessage } from "./eightbyeight-wire.ts";

type EightbyeightHandover = Handover<EightbyeightOptions, EightbyeightState>;

const pageSize = 50;
/** Two clocks that are no further apart count as one. */
const sameClockMs = 2_000;

/** As text, with files: agents read what the bot offered, and what the user pressed. Section 3.4 of the reference page. */
export function planMessage(
  { longestTextCharacters }: Pick<EightbyeightSettings, "longestTextCharacters">,
  message: Message,
): MessagePart[] {
  const { id, author, sentAt, attachments = [] } = message;
  const words = wordsOf(message);
  const isAnothers = author.name !== undefined && (author.role === "agent" || author.role === "system");
  const text = words !== "" && isAnothers ? `${author.name ?? ""}:\n${words}` : words;
  const texts = splitText(text, longestTextCharacters, "characters");
  const parts = texts.map((part): MessagePart => ({ message: { id, author, text: part, sentAt } }));
  if (attachments.length === 0) return parts;
  const last = parts.pop()?.message ?? { id, author, sentAt };
  return [...parts, { message: { ...last, attachments } }];
}

/** Files go beside the text; a pressed choice is its title, or its payload where it has none. */
function wordsOf(message: Message): string {
  const text = messageAsText({ ...message, attachments: [] });
  if (text !== "" || !message.answer) return text;
  const { title } = (message.answer.providerData ?? {}) as { title?: unknown };
  return typeof title === "string" && title.trim() !== "" ? title : (message.answer.payload ?? "");
}

/** @throws ConversationGoneError when the conversation is over */
export async function sendMessage(
  parts: Pick<EightbyeightParts, "client" | "settings">,
  handover: EightbyeightHandover,
  { message }: MessagePart,
  call: Call,
): Promise<{ readonly vendorMessageId?: string }> {
  const { client } = parts;
  const { conversationId, stage, relay } = handover.state;
  if (relay === "none") throw unsupported("8x8 carries the messages of this conversation itself.");
  // A message would put the customer into the queue again.
  if (stage === "over") throw new ConversationGoneError({ message: "The conversation at 8x8 is over." });
  const authorType = authorTypeOf(message);
  const { ids, missing } = await uploadFiles(parts, conversationId, message, authorType, call);
  const text = withLinks(message, missing);
  // 8x8 takes a message without any content, and shows nothing.
  if (text === "" && ids.length === 0) return {};
  const fields = { authorType, ...(text === "" ? {} : { text }), ...(ids.length > 0 ? { attachments: ids.map((id) => ({ id })) } : {}) };
  try {
    await client.createMessage(conversationId, fields, call.signal);
  } catch (error) {
    throw await explainRefusal(client, conversationId, error, call);
  }
  return {};
}

async function uploadFiles(
  { client, settings }: Pick<EightbyeightParts, "client" | "settings">,
  conversationId: string,
  message: Message,
  authorType: string,
  call: Call,
): Promise<{ ids: string[]; missing: Attachment[] }> {
  const ids: string[] = [];
  const missing: Attachment[] = [];
  for (const attachment of message.attachments ?? []) {
    const content = await call.readAttachment(attachment.id).catch((error: unknown) => {
      // A file that is a link to the bot's own place stays a link.
      const isLink = attachment.url !== undefined && HandoverError.isInstance(error) && error.code === "ATTACHMENT_NOT_FOUND";
      if (isLink) return undefined;
      throw error;
    });
    if (content && content.sizeBytes > settings.largestFileBytes) {
      await content.stream.cancel();
      throw tooLargeError(settings.largestFileBytes);
    }
    if (!content) missing.push(attachment);
    else ids.push(await client.upload(conversationId, authorType, { ...content, name: content.name || attachment.name }, call.signal));
  }
  return { ids, missing };
}

function tooLargeError(limit: number): HandoverError {
  return new HandoverError({ code: "ATTACHMENT_TOO_LARGE", message: `A file has at most ${limit} bytes (setting largestFileBytes).` });
}

/** 8x8 says 400 to many things; whether the conversation is over, the conversation says. */
async function explainRefusal(client: EightbyeightClient, conversationId: string, error: unknown, call: Call): Promise<unknown> {
  if (!ProviderApiError.isInstance(error) || error.status !== 400) return error;
  try {
    const { state } = await client.getConversation(conversationId, call.signal);
    if (state !== "idle") return error;
  } catch (cause) {
    return ConversationGoneError.isInstance(cause) ? cause : error;
  }
  return new ConversationGoneError({ message: "8x8 takes no more messages: the conversation is over.", status: 400, cause: error });
}

/**
 * Looks for a line of the same author with the same content that was written after the first try. 8x8 takes no mark of ours, so what is
 * too near in time to tell stays unknown. Section 5 of the reference page.
 */
export async function findSentMessage(
  client: EightbyeightClient,
  clock: { now(): number },
  handover: EightbyeightHandover,
  sent: SentPart,
  call: Call,
): Promise<{ vendorMessageId: string } | "absent" | "unknown"> {
  const found: { message: WireMessage; offsetMs: number }[] = [];
  const farBackMs = sent.firstAttemptAtMs - 60_000;
  let offsetMs = 0;
  const isComplete = await readPages(
    async (page) => {
      const listed = await client.listMessages(handover.state.conversationId, { page, size: pageSize }, call.signal);
      const apartMs = listed.dateMs === undefined ? 0 : listed.dateMs - clock.now();
      offsetMs = Math.abs(apartMs) <= sameClockMs ? 0 : apartMs;
      return listed;
    },
    (messages) => {
      for (const message of messages) if (isSame(message, sent.part.message)) found.push({ message, offsetMs });
      return messages.some((message) => (timeOf(message) ?? Infinity) - offsetMs < farBackMs) ? "stop" : "go-on";
    },
  );
  // Between clocks that differ a second is neither before nor after.
  const doubtMs = (offset: number): number => (offset === 0 ? 0 : 1_000);
  const after = found.find(({ message, offsetMs: offset }) => (timeOf(message) ?? 0) - offset > sent.firstAttemptAtMs + doubtMs(offset));
  if (after) return { vendorMessageId: after.message.id };
  const isInDoubt = found.some(
    ({ message, offsetMs: offset }) => (timeOf(message) ?? Infinity) - offset > sent.firstAttemptAtMs - sameClockMs - doubtMs(offset),
  );
  return isInDoubt || !isComplete ? "unknown" : "absent";
}

function isSame(message: WireMessage, sent: Message): boolean {
  if (message.author.type !== authorTypeOf(sent)) return false;
  const text = message.text ?? "";
  const attachments = sent.attachments ?? [];
  const isWithout = (missing: readonly Attachment[]): boolean =>
    (message.attachments?.length ?? 0) + missing.length === attachments.length && text === withLinks(sent, missing);
  return (
    isWithout([]) ||
    isWithout(attachments.filter((file) => file.url !== undefined && text.includes(messageAsText({ attachments: [file] }))))
  );
}

/** The text with what could not be uploaded, because it is a link to the bot's own place. */
function withLinks({ text }: Pick<Message, "text">, missing: readonly Attachment[]): string {
  return [text ?? "", messageAsText({ attachments: missing })].filter((part) => part !== "").join("\n\n");
}

/** Customers' lines are the customer's, all others the bot's. */
export function authorTypeOf({ author }: Pick<Message, "author">): "user" | "bot" {
  return author.role === "user" ? "user" : "bot";
}
