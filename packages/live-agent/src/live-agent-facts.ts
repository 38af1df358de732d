import { z } from "zod";
import { agentSchema } from "./live-agent-state.ts";

// What is kept of a webhook or listing until it is translated, perhaps by a later release. Credentials never get here.

const senderSchema = z.object({ kind: z.string(), person: agentSchema.exactOptional() });

const attachmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  url: z.string(),
  sizeBytes: z.number().exactOptional(),
});

const choiceSchema = z.object({
  id: z.string(),
  title: z.string(),
  payload: z.string().exactOptional(),
  providerData: z.json().exactOptional(),
});

const cardSchema = z.object({
  title: z.string().exactOptional(),
  text: z.string().exactOptional(),
  imageUrl: z.string().exactOptional(),
  url: z.string().exactOptional(),
  choices: z.array(choiceSchema).exactOptional(),
});

const messageFactsSchema = z.object({
  kind: z.literal("message"),
  id: z.string(),
  isDeleted: z.boolean(),
  /** `incoming`, `outgoing`, `activity`, `template`, or whatever else came. */
  type: z.string(),
  /** Said to be no private note. Whatever is not clearly public is private. */
  isPublic: z.boolean(),
  text: z.string().exactOptional(),
  sender: senderSchema.exactOptional(),
  /** The key under which we sent it. */
  key: z.string().exactOptional(),
  /** Posted through the API and not by a person: all that survives below 3.4. */
  hasApiTime: z.boolean(),
  attachments: z.array(attachmentSchema).exactOptional(),
  choices: z.array(choiceSchema).exactOptional(),
  cards: z.array(cardSchema).exactOptional(),
  /** The user is asked how it was. */
  isSurvey: z.literal(true).exactOptional(),
  atMs: z.number().min(-8.64e15).max(8.64e15).exactOptional(),
});

const conversationFactsSchema = z.object({
  kind: z.literal("conversation"),
  status: z.string(),
  agent: agentSchema.exactOptional(),
  team: z.object({ id: z.string(), name: z.string().exactOptional() }).exactOptional(),
  inbox: z.string().exactOptional(),
  /** In seconds, as the vendor gives them. */
  updatedAt: z.number().exactOptional(),
  lastActivityAt: z.number().exactOptional(),
  /** When an agent last looked at the conversation. */
  agentSeenAt: z.number().exactOptional(),
  /** Read from the API: what it says is so, whatever came before. */
  isListed: z.boolean(),
  /** The event says that the status is another one now, and not when. */
  isStatusChange: z.boolean().exactOptional(),
});

/** A message of which only the API can say whether it has files. */
const incompleteFactsSchema = z.object({ kind: z.literal("incomplete") });

/** A message as it is after an update: mostly only its state has changed. */
const editFactsSchema = z.object({
  kind: z.literal("edit"),
  id: z.string(),
  text: z.string(),
});

/** The sign that the conversation exists. How it stands since then is told by what follows. */
const createdFactsSchema = z.object({ kind: z.literal("created"), status: z.string() });

const typingFactsSchema = z.object({
  kind: z.literal("typing"),
  isTyping: z.boolean(),
  isPublic: z.boolean(),
  /** Absent in events of the event gateway. */
  sender: senderSchema.exactOptional(),
});

export const factsSchema = z.discriminatedUnion("kind", [
  messageFactsSchema,
  editFactsSchema,
  incompleteFactsSchema,
  conversationFactsSchema,
  createdFactsSchema,
  typingFactsSchema,
]);

export type MessageFacts = z.output<typeof messageFactsSchema>;
export type ChoiceFacts = z.output<typeof choiceSchema>;
export type CardFacts = z.output<typeof cardSchema>;
export type EditFacts = z.output<typeof editFactsSchema>;
export type ConversationFacts = z.output<typeof conversationFactsSchema>;
export type TypingFacts = z.output<typeof typingFactsSchema>;
export type Facts = z.output<typeof factsSchema>;
export type Sender = z.output<typeof senderSchema>;
