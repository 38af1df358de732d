import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { unprocessable } from "./live-agent-errors.ts";
import type { Conversation, JsonObject, Message, MessageType } from "./live-agent-state.ts";
import { getContact, getInbox, takeId, technicalUserId } from "./live-agent-state.ts";
import { updateConversation } from "./live-agent-updates.ts";
import { publishMessage } from "./live-agent-webhooks.ts";

export interface NewMessage {
  readonly type: MessageType;
  readonly content: string | null;
  readonly sender: Message["sender"];
  readonly isPrivate?: boolean;
  readonly contentType?: string;
  readonly contentAttributes?: JsonObject;
  readonly sourceId?: string | null;
}

const longestContent = 150_000;
const floodWindowMs = 60_000;

/** Adds a line with everything that follows from it: reopening, the greeting, who waits for whom. Throws the vendor's 422. */
export function addMessage(context: LiveAgentContext, conversation: Conversation, input: NewMessage): Message {
  refuseInvalid(context, conversation, input);
  const nowMs = context.clock.now();
  const message: Message = {
    id: takeId(context.state, "message"),
    conversation,
    type: input.type,
    content: input.content,
    isPrivate: input.isPrivate ?? false,
    contentType: input.contentType ?? "text",
    contentAttributes: input.contentAttributes ?? {},
    sourceId: input.sourceId ?? null,
    sender: input.sender,
    status: "sent",
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  conversation.messages.push(message);
  context.state.messages.set(message.id, message);
  conversation.lastActivityAtMs = nowMs;

  if (message.type === "incoming") reopenForCustomer(context, conversation);
  announceMessage(context, "message_created", message);
  if (message.type === "incoming") followIncoming(context, message);
  if (message.type === "outgoing" && !message.isPrivate && message.sender?.kind === "user") followReply(context, message);
  announceChange(context, conversation);
  return message;
}

/** Sets the delivery status as the receiver or the webhook's failure says. Nothing happens when nothing changes. */
export function updateMessageStatus(context: LiveAgentContext, message: Message, status: Message["status"], externalError?: string): void {
  if (status === "delivered" && message.status === "read") return;
  const { external_error: formerError, ...attributes } = message.contentAttributes;
  const contentAttributes = externalError === undefined ? attributes : { ...attributes, external_error: externalError };
  if (message.status === status && formerError === externalError) return;
  message.status = status;
  message.contentAttributes = contentAttributes;
  touch(context, message);
}

export function deleteMessage(context: LiveAgentContext, message: Message): void {
  message.content = "This message was deleted";
  message.contentAttributes = { deleted: true };
  touch(context, message);
}

/** The paging of the message list: the last 20, 20 before, 100 after, or up to 1000 between. */
export function listMessages(
  conversation: Conversation,
  query: { readonly before: number | undefined; readonly after: number | undefined; readonly hidesInternal: boolean },
): Message[] {
  const { before, after } = query;
  const visible = query.hidesInternal
    ? conversation.messages.filter((message) => !message.isPrivate && message.type !== "activity")
    : conversation.messages;
  if (before !== undefined && after !== undefined) return visible.filter(({ id }) => id >= after && id < before).slice(0, 1000);
  if (before !== undefined) return visible.filter(({ id }) => id < before).slice(-20);
  if (after !== undefined) return visible.filter(({ id }) => id > after).slice(0, 100);
  return visible.slice(-20);
}

function touch(context: LiveAgentContext, message: Message): void {
  message.updatedAtMs = context.clock.now();
  announceMessage(context, "message_updated", message);
  announceChange(context, message.conversation);
}

function announceMessage(context: LiveAgentContext, event: "message_created" | "message_updated", message: Message): void {
  publishMessage(context, event, message, (error) => {
    if (context.state.messages.get(message.id) === message) updateMessageStatus(context, message, "failed", error);
  });
}

function refuseInvalid(context: LiveAgentContext, conversation: Conversation, input: NewMessage): void {
  if ((input.content?.length ?? 0) > longestContent) {
    throw unprocessable(`Validation failed: Content is too long (maximum is ${longestContent} characters)`);
  }
  if (input.type === "activity") return;
  const sinceMs = context.clock.now() - floodWindowMs;
  const oldest = conversation.messages.at(-context.setup.messagesPerMinute);
  if (oldest && oldest.createdAtMs >= sinceMs) throw unprocessable("Validation failed: Too many messages");
}

function reopenForCustomer(context: LiveAgentContext, conversation: Conversation): void {
  if (conversation.status === "snoozed") updateConversation(context, conversation, { status: "open", snoozedUntil: null });
  if (context.profile.canReopen && conversation.status === "resolved") updateConversation(context, conversation, { status: "open" });
}

function followIncoming(context: LiveAgentContext, message: Message): void {
  const { conversation } = message;
  getContact(context.state, conversation.contactId).lastActivityAtMs = message.createdAtMs;
  greet(context, conversation);
  if (conversation.waitingSinceMs === null && conversation.status === "open") {
    updateConversation(context, conversation, { waitingSinceMs: message.createdAtMs });
  }
}

/** Only when nothing was sent to the customer before: a replayed line of the bot suppresses it. */
function greet(context: LiveAgentContext, conversation: Conversation): void {
  const { greetingMessage } = getInbox(context.state, conversation.inboxId);
  if (greetingMessage === null) return;
  if (conversation.messages.some((message) => message.type === "outgoing" || message.type === "template")) return;
  addMessage(context, conversation, { type: "template", content: greetingMessage, sender: null });
}

/** The product counts every outgoing line of a user as a reply, also those that a program sends with a user's token. */
function followReply(context: LiveAgentContext, message: Message): void {
  const { conversation } = message;
  if (message.sender?.id !== technicalUserId) conversation.isAttended = true;
  const firstReplyAtMs = conversation.firstReplyAtMs ?? message.createdAtMs;
  updateConversation(context, conversation, { firstReplyAtMs, waitingSinceMs: null });
}
