import { createHmac, randomUUID } from "node:crypto";
import type { WebhookRequest } from "../shared/webhook-sender.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Conversation, Inbox, JsonObject, Message, User } from "./live-agent-state.ts";
import { getContact, getInbox } from "./live-agent-state.ts";
import { toIso, toUnix } from "./live-agent-values.ts";
import { viewConversationPush } from "./live-agent-views.ts";

/** One changed attribute under its name on the wire. */
export type ChangedAttribute = Readonly<Record<string, { readonly previous_value: unknown; readonly current_value: unknown }>>;

export function publishMessage(
  context: LiveAgentContext,
  event: "message_created" | "message_updated",
  message: Message,
  onFailure: (error: string) => void,
): void {
  // Activity lines never leave; private notes do.
  if (message.type === "activity") return;
  publish(context, message.conversation, event, () => buildMessage(context, event, message), onFailure);
}

export function publishConversation(
  context: LiveAgentContext,
  event: "conversation_created" | "conversation_status_changed" | "conversation_updated",
  conversation: Conversation,
  changed?: readonly ChangedAttribute[],
): void {
  publish(context, conversation, event, () => ({
    ...viewConversationPush(context, conversation),
    event,
    ...(event === "conversation_created" ? {} : { changed_attributes: changed ?? null }),
  }));
}

export function publishTyping(
  context: LiveAgentContext,
  conversation: Conversation,
  user: User,
  isTyping: boolean,
  isPrivate: boolean,
): void {
  const event = isTyping ? "conversation_typing_on" : "conversation_typing_off";
  publish(context, conversation, event, () => ({
    event,
    user: viewUser(user),
    is_private: isPrivate,
    conversation: viewConversationPush(context, conversation),
  }));
}

function publish(
  context: LiveAgentContext,
  conversation: Conversation,
  event: string,
  buildBody: () => JsonObject,
  onFailure?: (error: string) => void,
): void {
  context.sender.enqueue({
    lane: String(conversation.displayId),
    event,
    build() {
      const inbox = context.state.inboxes.get(conversation.inboxId);
      if (!inbox?.webhookUrl || context.state.conversations.get(conversation.displayId) !== conversation) return undefined;
      return buildRequest(context, inbox, inbox.webhookUrl, JSON.stringify(buildBody()));
    },
    ...(onFailure ? { onFailure } : {}),
  });
}

function buildRequest(context: LiveAgentContext, inbox: Inbox, url: string, body: string): WebhookRequest {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (!context.profile.signsWebhooks) return { url, headers, body };
  const timestamp = String(toUnix(context.clock.now()));
  const signature = createHmac("sha256", inbox.secret).update(`${timestamp}.${body}`).digest("hex");
  return {
    url,
    headers: {
      ...headers,
      "X-Chatwoot-Timestamp": timestamp,
      "X-Chatwoot-Signature": `sha256=${signature}`,
      "X-Chatwoot-Delivery": randomUUID(),
    },
    body,
  };
}

function buildMessage(context: LiveAgentContext, event: string, message: Message): JsonObject {
  const { account } = context.state;
  const inbox = getInbox(context.state, message.conversation.inboxId);
  return {
    account,
    additional_attributes: {},
    content_attributes: message.contentAttributes,
    content_type: message.contentType,
    content: message.content,
    conversation: viewConversationPush(context, message.conversation),
    created_at: toIso(message.createdAtMs),
    id: message.id,
    inbox: { id: inbox.id, name: inbox.name },
    message_type: message.type,
    private: message.isPrivate,
    sender: viewSender(context, message),
    source_id: message.sourceId,
    event,
  };
}

function viewSender(context: LiveAgentContext, message: Message): JsonObject | null {
  if (!message.sender) return null;
  if (message.sender.kind === "user") {
    const user = context.state.users.get(message.sender.id);
    return user ? viewUser(user) : null;
  }
  const contact = getContact(context.state, message.sender.id);
  // Without `type` since 2.14.
  return {
    account: context.state.account,
    additional_attributes: contact.additionalAttributes,
    avatar: "",
    custom_attributes: contact.customAttributes,
    email: contact.email,
    id: contact.id,
    identifier: contact.identifier,
    name: contact.name,
    phone_number: contact.phoneNumber,
    thumbnail: "",
    blocked: contact.blocked,
  };
}

function viewUser(user: User): JsonObject {
  return { id: user.id, name: user.name, email: user.email, type: "user" };
}
