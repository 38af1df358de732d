import type { EightbyeightContext } from "./eightbyeight-context.ts";
import type {
  Attachment,
  Card,
  Channel,
  Conversation,
  Interaction,
  JsonObject,
  Message,
  Participant,
  Webhook,
} from "./eightbyeight-state.ts";

/** The only version there is. */
export const notificationVersion = "Chat Gateway v1.0";

export function viewWebhook({ id, name, uri }: Webhook): JsonObject {
  return { id, name, uri, version: notificationVersion };
}

export function viewChannel({ id, name, type, webhookId, queueId }: Channel): JsonObject {
  return {
    id,
    name,
    type,
    ...(webhookId === null ? {} : { webHookId: webhookId }),
    ...(queueId === null ? {} : { routingOptions: { type: "queue", id: queueId } }),
  };
}

export function viewConversation(context: EightbyeightContext, conversation: Conversation): JsonObject {
  const { id, channelId, assignment, state } = conversation;
  return { id, channelId, assignment: { type: assignment.type, id: assignment.id }, user: viewUser(context, conversation), state };
}

export function viewUser(context: EightbyeightContext, { user }: Conversation): JsonObject {
  if (context.behaviour.keepsProperties) return user;
  return Object.fromEntries(Object.entries(user).filter(([key]) => key !== "additionalProperties"));
}

export function viewParticipant({ id, type, isRemoved }: Participant): JsonObject {
  return { id, removed: isRemoved, type, language: "en" };
}

export function viewInteraction({ id, startedAtMs, endedAtMs }: Interaction): JsonObject {
  return { id, startTime: toIso(startedAtMs), ...(endedAtMs === undefined ? {} : { endTime: toIso(endedAtMs) }) };
}

export function viewMessage({ id, text, author, attachmentIds, cards, externalProvider, createdAtMs }: Message): JsonObject {
  return {
    id,
    ...(text === undefined ? {} : { text }),
    createdAt: toIso(createdAtMs),
    author: viewParticipant(author),
    ...(attachmentIds.length > 0 ? { attachments: attachmentIds.map((attachmentId) => ({ id: attachmentId })) } : {}),
    ...(cards.length > 0 ? { cards: cards.map(viewCard) } : {}),
    ...(externalProvider ? { externalProvider } : {}),
  };
}

export function viewCard({ id, contentType, content, isSubmitted, isExecuted }: Card): JsonObject {
  return { id, contentType, content, actionSubmitted: isSubmitted, actionExecuted: isExecuted };
}

export function viewAttachment({ id, name, content, createdAtMs }: Attachment): JsonObject {
  return { id, filename: name, sizeInBytes: content.length, createdAt: toIso(createdAtMs) };
}

export function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
