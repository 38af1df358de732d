import { z } from "zod";

// Loose on purpose: the same field has several types and cases over the versions, unknown ones appear, and most can be absent.
const id = z.union([z.number(), z.string().min(1)]).transform(String);
const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const record = z.record(z.string(), z.unknown()).catch({});

const personSchema = z.object({
  id: id.optional().catch(undefined),
  type: text,
  name: text,
  available_name: text,
  avatar_url: text,
  thumbnail: text,
});

const attachmentSchema = z.object({
  id: id.optional().catch(undefined),
  file_type: text,
  extension: text,
  content_type: text,
  data_url: text,
  file_size: number,
  fallback_title: text,
});

export const messageSchema = z.object({
  id,
  content: text,
  message_type: z.union([z.string(), z.number()]).optional().catch(undefined),
  content_type: text,
  private: z.unknown().optional(),
  source_id: text,
  content_attributes: z.preprocess(parseIfText, record).optional().default({}),
  created_at: z.union([z.string(), z.number()]).optional().catch(undefined),
  sender: personSchema.nullish().catch(undefined),
  attachments: z.array(attachmentSchema).optional().catch(undefined),
});

export const conversationSchema = z.object({
  id,
  status: z.string(),
  priority: text,
  inbox_id: id.optional().catch(undefined),
  additional_attributes: record,
  custom_attributes: record,
  created_at: number,
  updated_at: number,
  last_activity_at: number,
  timestamp: number,
  agent_last_seen_at: number,
  can_reply: z.boolean().optional().catch(undefined),
  contact_inbox: z.object({ source_id: text }).optional().catch(undefined),
  account: z.object({ id }).optional().catch(undefined),
  meta: z
    .object({
      assignee: personSchema.nullish().catch(undefined),
      assignee_type: text,
      team: z.object({ id, name: text }).nullish().catch(undefined),
    })
    .catch({ assignee: undefined, assignee_type: undefined, team: undefined }),
});

/** The envelope of every webhook body. */
export const webhookSchema = z.object({
  event: text,
  account: z.object({ id }).optional().catch(undefined),
  conversation: z.unknown().optional(),
  /** Typing events. */
  user: personSchema.nullish().catch(undefined),
  is_private: z.unknown().optional(),
});

/** The conversation inside a message event: whose it is, and, in old versions, where the attachments are. */
export const nestedConversationSchema = z.object({
  id,
  account: z.object({ id }).optional().catch(undefined),
  contact_inbox: z.object({ source_id: text }).optional().catch(undefined),
  messages: z.array(z.unknown()).catch([]),
  labels: z.unknown().optional(),
  meta: z.object({ assignee: personSchema.nullish().catch(undefined) }).catch({ assignee: undefined }),
});

/** Live Agent's event gateway: CloudEvents 1.0. */
export const cloudEventSchema = z.object({
  specversion: z.string(),
  type: z.string(),
  subject: text,
  data: z.object({ cognigy_session_id: text }).catch({ cognigy_session_id: undefined }),
});

export const contactCreatedSchema = z.object({ payload: z.object({ contact: z.object({ id }) }) });
export const contactListSchema = z.object({ payload: z.array(z.object({ id, identifier: text })) });
export const contactConversationsSchema = z.object({ payload: z.array(conversationSchema) });
export const conversationListSchema = z.object({ data: contactConversationsSchema });
export const messageCreatedSchema = z.object({ id: id.nullable() });
export const messageListSchema = z.object({ payload: z.array(messageSchema) });
export const statusSchema = z.object({ payload: z.object({ current_status: z.string() }) });

/** Holds two credentials besides; they are not read. */
export const profileSchema = z.object({
  id,
  accounts: z.array(z.object({ id, role: text })).catch([]),
});

export type WirePerson = z.output<typeof personSchema>;
export type WireMessage = z.output<typeof messageSchema>;
export type WireConversation = z.output<typeof conversationSchema>;
export type WireAttachment = z.output<typeof attachmentSchema>;
export type WireProfile = z.output<typeof profileSchema>;

/** An id as the API wants it: a number, unless it would not survive as one. */
export function toWireId(value: string): number | string {
  const wireId = Number(value);
  return Number.isSafeInteger(wireId) ? wireId : value;
}

/** The documentation allows an object or its JSON. */
function parseIfText(value: unknown): unknown {
  if (typeof value !== "string") return value ?? {};
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return {};
  }
}
