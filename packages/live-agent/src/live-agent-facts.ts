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
  atMs: z.number().min(-8.64e15).max(8.64e15).exactOptional(),
});

const conversationFactsSchema = z.object({
  kind: z.literal("conversation"),
  status: z.string(),
  agent: agentSchema.exactOptional(),
  team: z.object({ id: z.string(), name: z.string().exactOptional() }).exactOptional(),
  /** In seconds, as the vendor gives them. */
  updatedAt: z.number().exactOptional(),
  lastActivityAt: z.number().exactOptional(),
  /** Read from the API: what it says is so, whatever came before. */
  isListed: z.boolean(),
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
  conversationFactsSchema,
  createdFactsSchema,
  typingFactsSchema,
]);

export type MessageFacts = z.output<typeof messageFactsSchema>;
export type ConversationFacts = z.output<typeof conversationFactsSchema>;
export type TypingFacts = z.output<typeof typingFactsSchema>;
export type Facts = z.output<typeof factsSchema>;
export type Sender = z.output<typeof senderSchema>;
