import { randomUUID } from "node:crypto";
import type { Webhook as OutgoingWebhook, WebhookAttempt } from "../shared/webhook-sender.ts";
import { preSignedUrl } from "./eightbyeight-attachments.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import { buildHeaders } from "./eightbyeight-signature.ts";
import type { Conversation, JsonObject, Message, Participant } from "./eightbyeight-state.ts";
import { findWebhook } from "./eightbyeight-state.ts";
import { notificationVersion, viewUser } from "./eightbyeight-views.ts";

export function publishUpdate(context: EightbyeightContext, conversation: Conversation, delayMs = 0): void {
  const { state, assignment, channelId } = conversation;
  const channel = context.state.channels.get(channelId)?.type ?? "ChatAPI";
  publish(context, conversation, "CONVERSATION_UPDATE", { state, assignment, user: viewUser(context, conversation), channel }, delayMs);
}

export function publishQueued(context: EightbyeightContext, conversation: Conversation, delayMs = 0): void {
  const queue = context.state.queues.get(conversation.queueId ?? "");
  if (queue) publish(context, conversation, "QUEUED", { queueId: queue.id, queueName: queue.name }, delayMs);
}

export function publishMember(
  context: EightbyeightContext,
  conversation: Conversation,
  member: Participant,
  change: "joined" | "left",
  delayMs = 0,
): void {
  publish(context, conversation, "MEMBERS_CHANGED", { memberType: member.type, change, id: member.id }, delayMs);
}

export function publishTransfer(context: EightbyeightContext, conversation: Conversation, delayMs = 0): void {
  publish(context, conversation, "TRANSFER", undefined, delayMs);
}

export function publishTyping(context: EightbyeightContext, conversation: Conversation, agent: Participant, isTyping: boolean): void {
  const users = isTyping ? [{ type: agent.type, id: agent.id }] : [];
  publish(context, conversation, "ACTIVITY", { name: "typing", value: { users } });
}

export function publishMessage(context: EightbyeightContext, conversation: Conversation, message: Message): void {
  const { author, text, cards } = message;
  const isEcho = author.type === "bot" || (author.type === "user" && context.behaviour.userEchoIsEcho);
  const attachments = message.attachmentIds.map((id) => viewAttachment(context, conversation, id));
  publish(context, conversation, "MESSAGE", {
    isEcho,
    sender: { id: author.id, type: author.type },
    ...(text === undefined ? {} : { text }),
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(cards.length > 0 ? { cards: cards.map(({ contentType, content }) => ({ contentType, content })) } : {}),
  });
}

/** Any event; its content is what is true now, and a later try repeats it. */
export function publish(context: EightbyeightContext, conversation: Conversation, eventType: string, data?: JsonObject, delayMs = 0): void {
  const { behaviour, clock, state } = context;
  const strange = behaviour.hasUnknownFields ? { unknownField: { nested: ["/", "\u2028", "Grüße 👋"] } } : {};
  const body = JSON.stringify({
    eventType,
    conversationId: conversation.id,
    timestamp: clock.now(),
    ...(data ? { data: { ...data, ...strange } } : {}),
    ...strange,
  });
  const eventId = randomUUID();
  context.sender.enqueue({
    lane: conversation.id,
    event: eventType,
    delayMs,
    retries: { count: behaviour.webhookRetries, delayMs: behaviour.webhookRetryDelayMs },
    build(retry) {
      const webhook = findWebhook(state, conversation);
      if (!webhook || state.conversations.get(conversation.id) !== conversation) return undefined;
      return { url: webhook.uri, headers: signedHeaders(context, { body, eventId, retry, tenant: conversation.tenant }), body };
    },
  });
}

/** Asks an address whether it takes webhooks; `onAttempt` hears what came of it. */
export function publishVerification(
  context: EightbyeightContext,
  tenant: string,
  url: string,
  onAttempt?: (attempt: WebhookAttempt) => void,
): void {
  const eventId = randomUUID();
  const body = JSON.stringify({ notificationVersion, eventType: "WEB_HOOK_VERIFY" });
  const plain = { "content-type": "application/json" };
  const webhook: OutgoingWebhook = {
    lane: `verification ${eventId}`,
    event: "WEB_HOOK_VERIFY",
    build(retry) {
      const headers = context.behaviour.signsVerification ? signedHeaders(context, { body, eventId, retry, tenant }) : plain;
      return { url, headers, body };
    },
    ...(onAttempt ? { onAttempt } : {}),
  };
  context.sender.enqueue(webhook);
}

function signedHeaders(
  context: EightbyeightContext,
  parts: { readonly body: string; readonly eventId: string; readonly retry: number; readonly tenant: string },
): Record<string, string> {
  const { behaviour, clock, keys, setup } = context;
  const signed = buildHeaders({ ...parts, customerId: setup.customerId, atMs: clock.now() }, keys.current(), behaviour.tamper);
  const kept = Object.entries(signed).filter(([name]) => name !== behaviour.withoutHeader);
  return { "content-type": "application/json", ...Object.fromEntries(kept) };
}

function viewAttachment(context: EightbyeightContext, conversation: Conversation, id: string): JsonObject {
  const attachment = conversation.attachments.get(id);
  if (!attachment || !context.behaviour.hasPreSignedUrl) return { id };
  const kind = /^(image|video|audio)\//.exec(attachment.type)?.[1] ?? "file";
  return { id, type: kind, preSignedUrl: preSignedUrl(context, conversation, attachment), fileName: attachment.name };
}
