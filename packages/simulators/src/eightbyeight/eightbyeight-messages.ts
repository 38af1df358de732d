import { enqueue } from "./eightbyeight-conversations.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import { announceChange } from "./eightbyeight-context.ts";
import { badRequest } from "./eightbyeight-errors.ts";
import { publishMessage } from "./eightbyeight-events.ts";
import type { Card, Conversation, JsonObject, Message, Participant } from "./eightbyeight-state.ts";
import { createId } from "./eightbyeight-state.ts";

export interface NewMessage {
  readonly authorType: "user" | "bot";
  readonly text?: string;
  readonly attachmentIds: readonly string[];
  readonly cards: readonly Pick<Card, "contentType" | "content">[];
  readonly externalProvider?: JsonObject;
}

/** Checks what a program sends. A message without any content passes, as it does with the vendor. */
export function readMessage(fields: JsonObject): NewMessage {
  const { authorType, text, externalProvider } = fields;
  if (authorType !== "user" && authorType !== "bot") throw invalid("The authorType must be user or bot.");
  if (text !== undefined && typeof text !== "string") throw invalid("The text must be a text.");
  if (text !== undefined && externalProvider !== undefined) throw invalid("An external message has no text.");
  return {
    authorType,
    ...(text === undefined ? {} : { text }),
    attachmentIds: readObjects(fields, "attachments").map(({ id }) => readString(id)),
    cards: readObjects(fields, "cards").map(({ contentType, content }) => ({
      contentType: readString(contentType),
      content: readContent(content),
    })),
    ...(externalProvider === undefined ? {} : { externalProvider: readContent(externalProvider) }),
  };
}

/** A line of the time before the conversation; nobody is told. */
export function addHistory(context: EightbyeightContext, conversation: Conversation, input: NewMessage): void {
  add(context, conversation, authorOf(conversation, input.authorType), input);
}

/** A line that a program posts comes back as an event. */
export function postMessage(context: EightbyeightContext, conversation: Conversation, input: NewMessage): void {
  for (const id of input.attachmentIds) if (!conversation.attachments.has(id)) throw invalid("There is no such attachment.");
  const isLate = conversation.state === "idle" && input.authorType === "user";
  if (isLate && context.behaviour.afterEnd === "refuse") throw invalid("The conversation is over.");
  say(context, conversation, authorOf(conversation, input.authorType), input);
  if (isLate && conversation.queueId !== null) enqueue(context, conversation, conversation.queueId);
}

/** Whoever says it, everybody hears it. */
export function say(
  context: EightbyeightContext,
  conversation: Conversation,
  author: Participant,
  content: Omit<NewMessage, "authorType">,
): void {
  publishMessage(context, conversation, add(context, conversation, author, content));
  announceChange(context, conversation);
}

function add(
  context: EightbyeightContext,
  conversation: Conversation,
  author: Participant,
  content: Omit<NewMessage, "authorType">,
): Message {
  const { text, externalProvider, attachmentIds } = content;
  const message: Message = {
    id: createId(),
    author,
    ...(text === undefined ? {} : { text }),
    attachmentIds,
    cards: content.cards.map((card) => ({ ...card, id: createId(), isSubmitted: false, isExecuted: false })),
    ...(externalProvider ? { externalProvider } : {}),
    createdAtMs: context.clock.now(),
  };
  conversation.messages.push(message);
  return message;
}

function authorOf(conversation: Conversation, type: "user" | "bot"): Participant {
  const known = conversation.participants.find((participant) => participant.type === type);
  if (known) return known;
  const bot: Participant = { id: createId(), type, isRemoved: false };
  conversation.participants.push(bot);
  return bot;
}

function readObjects(fields: JsonObject, key: string): JsonObject[] {
  const values: unknown = fields[key] ?? [];
  if (!Array.isArray(values)) throw invalid(`${key} must be a list.`);
  return values.map(readContent);
}

function readContent(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("An object is expected.");
  return value as JsonObject;
}

function readString(value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalid("A text is expected that is not empty.");
  return value;
}

function invalid(message: string): Error {
  return badRequest("invalid_json_object", message);
}
