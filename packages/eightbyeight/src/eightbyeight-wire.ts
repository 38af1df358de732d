import { z } from "zod";

// What 8x8 sends. Unknown keys and values pass; what cannot be read is absent.

/** An id is a text; a number that stands for one is kept as its digits. */
const id = z.union([z.string().min(1), z.number().int().transform(String)]);
const text = z.string().optional().catch(undefined);
const object = z.record(z.string(), z.unknown());
const time = z.number().optional().catch(undefined);

const assignmentSchema = z.object({ type: text, id: id.optional().catch(undefined) });
const propertySchema = z.object({ key: text, value: text });
const userSchema = z.looseObject({ additionalProperties: z.array(propertySchema.catch({})).optional().catch(undefined) });

export const createdSchema = z.object({ conversationId: id, createdAt: text });

export const conversationSchema = z.object({
  id,
  channelId: id.optional().catch(undefined),
  state: text,
  assignment: assignmentSchema.optional().catch(undefined),
  user: userSchema.optional().catch(undefined),
});
export type WireConversation = z.output<typeof conversationSchema>;

const attachmentSchema = z.object({
  id,
  type: text,
  preSignedUrl: text,
  fileName: text,
  filename: text,
  sizeInBytes: z.number().nonnegative().optional().catch(undefined),
});
export type WireAttachment = z.output<typeof attachmentSchema>;
export const uploadedSchema = z.object({ id });

const cardSchema = z.object({ contentType: text, content: object.optional().catch(undefined) });

/** Leaves out the members of a list that cannot be read. */
function listOf<Item>(schema: z.ZodType<Item>) {
  return z
    .array(z.unknown())
    .catch([])
    .transform((items) => items.map((item) => schema.safeParse(item)).flatMap((result): Item[] => (result.success ? [result.data] : [])));
}

const messageSchema = z.object({
  id,
  text,
  createdAt: text,
  author: z.object({ id: id.optional().catch(undefined), type: text }).catch({ id: undefined, type: undefined }),
  attachments: listOf(attachmentSchema).optional(),
  cards: listOf(cardSchema).optional(),
  externalProvider: z.unknown().optional(),
});
export type WireMessage = z.output<typeof messageSchema>;

const participantSchema = z.object({ id, type: text, removed: z.boolean().optional().catch(undefined) });
export type WireParticipant = z.output<typeof participantSchema>;

export const webhookSchema = z.object({ id, name: text, uri: text, version: text });
export type WireWebhook = z.output<typeof webhookSchema>;

export const channelSchema = z.object({
  id,
  name: text,
  type: text,
  webHookId: id.optional().catch(undefined),
  routingOptions: assignmentSchema.optional().catch(undefined),
});
export type WireChannel = z.output<typeof channelSchema>;

const pageSchema = z.object({ number: z.number().catch(0), totalPages: z.number().optional().catch(undefined) });

/** A page of a list. Without `_embedded` it is empty. */
function pageOf<Item>(key: string, item: z.ZodType<Item>) {
  return z
    .object({
      _embedded: z.record(z.string(), z.unknown()).optional(),
      page: pageSchema.optional().catch(undefined),
      _links: z.unknown().optional(),
    })
    .refine((body) => body._embedded !== undefined || body.page !== undefined || body._links !== undefined, { path: ["_embedded"] })
    .transform((body) => ({ items: listOf(item).parse(body._embedded?.[key] ?? []), page: body.page }));
}

export const conversationPageSchema = pageOf("conversations", conversationSchema);
export const messagePageSchema = pageOf("messages", messageSchema);
export const participantPageSchema = pageOf("participants", participantSchema);
export const attachmentPageSchema = pageOf("attachments", attachmentSchema);
export const webhookPageSchema = pageOf("webhooks", webhookSchema);
export const channelPageSchema = pageOf("channels", channelSchema);

/** A page of a list of 8x8. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly page?: { readonly number: number; readonly totalPages?: number | undefined } | undefined;
}

export const jwkSchema = z.object({ kty: z.literal("RSA"), n: z.string().min(1), e: z.string().min(1), kid: text });

const count = z.number().nonnegative().optional().catch(undefined);
export const queueStatisticsSchema = z.object({
  queue: z.object({
    "agent-count-waitTransact": count,
    "agent-count-busy": count,
    "agent-count-postProcess": count,
    "enabled-agent-count": count,
  }),
});

/** The envelope of a webhook. Section 4.1. */
export const eventSchema = z.object({
  eventType: text,
  conversationId: id.optional().catch(undefined),
  timestamp: time,
  data: object.optional().catch(undefined),
});
export type WireEvent = z.output<typeof eventSchema>;

export const updateDataSchema = z.object({
  state: text,
  assignment: assignmentSchema.optional().catch(undefined),
  user: userSchema.optional().catch(undefined),
});
export const queuedDataSchema = z.object({ queueId: id.optional().catch(undefined), queueName: text });
export const memberDataSchema = z.object({ memberType: text, change: text, id: id.optional().catch(undefined) });
export const messageDataSchema = z.object({
  sender: z
    .object({ id: id.optional().catch(undefined), type: text })
    .optional()
    .catch(undefined),
  attachments: listOf(attachmentSchema).optional(),
});
export const activityDataSchema = z.object({ name: text, value: z.unknown().optional() });
const personSchema = z.object({ id: id.optional().catch(undefined), type: text });
export const typingValueSchema = z.object({ users: listOf(personSchema) });
export const readValueSchema = listOf(z.object({ timestamp: z.number(), users: listOf(personSchema) }));
