import { z } from "zod";

// The payloads of deliveries: what `translate` needs, however it was learned. `atMs` is the time at 8x8.

const content = z.record(z.string(), z.unknown());
const common = {
  atMs: z.number(),
  /** Of the event, where no tenant is configured. */
  tenant: z.string().optional(),
};

const assignmentSchema = z.object({ type: z.string(), id: z.string().optional() });

const updateSchema = z.object({
  kind: z.literal("update"),
  ...common,
  state: z.string().optional(),
  assignment: assignmentSchema.optional(),
});
const queuedSchema = z.object({ kind: z.literal("queued"), ...common, queueName: z.string().optional() });
const transferSchema = z.object({ kind: z.literal("transfer"), ...common });
const memberSchema = z.object({
  kind: z.literal("member"),
  ...common,
  who: z.enum(["agent", "user"]),
  change: z.enum(["joined", "left"]),
  id: z.string().optional(),
  /** When the webhook left 8x8. */
  sentAtMs: z.number(),
});
/** A message of an agent was written: read the listing. */
const announcementSchema = z.object({ kind: z.literal("announcement"), ...common, sender: z.string(), sentAtMs: z.number() });
const typingSchema = z.object({ kind: z.literal("typing"), ...common, isTyping: z.boolean(), agentId: z.string().optional() });
const readSchema = z.object({ kind: z.literal("read"), ...common, upToMs: z.number() });

/** A message of an agent as the listing has it. */
const messageSchema = z.object({
  kind: z.literal("message"),
  ...common,
  id: z.string(),
  sender: z.string().optional(),
  text: z.string().optional(),
  attachments: z.array(z.object({ id: z.string(), name: z.string().optional(), sizeBytes: z.number().optional() })).optional(),
  cards: z.array(z.object({ contentType: z.string().optional(), content: content.optional() })).optional(),
});
/** How the conversation stands, as the API says. */
const snapshotSchema = z.object({
  kind: z.literal("snapshot"),
  ...common,
  state: z.string().optional(),
  assignment: assignmentSchema.optional(),
  agents: z.array(z.object({ id: z.string(), isIn: z.boolean() })),
  isCustomerGone: z.boolean(),
});

export const factsSchema = z.discriminatedUnion("kind", [
  updateSchema,
  queuedSchema,
  transferSchema,
  memberSchema,
  announcementSchema,
  typingSchema,
  readSchema,
  messageSchema,
  snapshotSchema,
]);

export type Facts = z.output<typeof factsSchema>;
export type UpdateFacts = z.output<typeof updateSchema>;
export type QueuedFacts = z.output<typeof queuedSchema>;
export type MemberFacts = z.output<typeof memberSchema>;
export type AnnouncementFacts = z.output<typeof announcementSchema>;
export type TypingFacts = z.output<typeof typingSchema>;
export type MessageFacts = z.output<typeof messageSchema>;
export type SnapshotFacts = z.output<typeof snapshotSchema>;
