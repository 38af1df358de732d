import { createAttachment, mostAttachments, removeAttachments } from "./live-agent-attachments.ts";
import { refuseInvalidItems } from "./live-agent-content.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { unprocessable } from "./live-agent-errors.ts";
import type { Blob, Conversation, Inbox, JsonObject, Message, MessageType } from "./live-agent-state.ts";
import { findActiveBot, getContact, getInbox, isTerminal, takeId } from "./live-agent-state.ts";
import { updateConversation } from "./live-agent-updates.ts";
import { publishMessage } from "./live-agent-webhooks.ts";

export interface NewMessage {
  readonly type: MessageType;
  readonly content: string | null;
  readonly sender: Message["sender"];
  readonly isPrivate?: boolean;
  readonly contentType?: string | number;
  readonly contentAttributes?: JsonObject;
  readonly sourceId?: string | null;
  readonly files?: readonly Blob[];
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
    attachments: (input.files ?? []).map((file) => createAttachment(context, file)),
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

/** Another text, or values that the customer filled in. */
export function changeMessage(
  context: LiveAgentContext,
  message: Message,
  change: { readonly content?: string; readonly contentAttributes?: JsonObject },
): void {
  if (change.content !== undefined) message.content = change.content;
  message.contentAttributes = { ...message.contentAttributes, ...change.contentAttributes };
  touch(context, message);
}

export function deleteMessage(context: LiveAgentContext, message: Message): void {
  message.content = "This message was deleted";
  message.contentType = "text";
  message.contentAttributes = { deleted: true };
  removeAttachments(context, message);
  touch(context, message);
}

/** Sent again: what an earlier failure left is gone. */
export function retryMessage(context: LiveAgentContext, message: Message): void {
  message.status = "sent";
  message.contentAttributes = {};
  touch(context, message);
}

/** The customer has seen everything up to now. */
export function markRead(context: LiveAgentContext, conversation: Conversation): void {
  conversation.contactLastSeenAtMs = context.clock.now();
  announceChange(context, conversation);
  for (const message of conversation.messages) {
    const isUnread = message.status === "sent" || message.status === "delivered";
    if (message.type === "outgoing" && !message.isPrivate && isUnread) updateMessageStatus(context, message, "read");
  }
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
  const { conversation } = message;
  publishMessage(context, event, message, {
    onInboxFailure(error) {
      if (!context.profile.has("failedStatusOnWebhookError")) return;
      if (context.state.messages.get(message.id) === message) updateMessageStatus(context, message, "failed", error);
    },
    onBotFailure() {
      if (!context.profile.has("failingBotOpensPending") || conversation.status !== "pending") return;
      updateConversation(context, conversation, { status: "open" });
      addMessage(context, conversation, { type: "activity", content: "The bot failed, so the conversation was opened", sender: null });
    },
  });
}

function refuseInvalid(context: LiveAgentContext, conversation: Conversation, input: NewMessage): void {
  if ((input.content?.length ?? 0) > longestContent) {
    throw unprocessable(`Validation failed: Content is too long (maximum is ${longestContent} characters)`);
  }
  if ((input.files?.length ?? 0) > mostAttachments) throw unprocessable("Validation failed: Attachments exceeded maximum allowed");
  refuseInvalidItems(input.contentType ?? "text", input.contentAttributes ?? {});
  if (input.type === "incoming" && !getInbox(context.state, conversation.inboxId).isApi) {
    throw unprocessable("Incoming messages are only allowed in Api inboxes");
  }
  if (input.type === "incoming" && isTerminal(conversation.status) && context.behaviour.afterEnd === "refuse") {
    throw unprocessable("Validation failed: Conversation is resolved");
  }
  if (input.type === "activity" || !context.profile.has("floodLimit")) return;
  const sinceMs = context.clock.now() - floodWindowMs;
  const oldest = conversation.messages.at(-context.setup.messagesPerMinute);
  if (oldest && oldest.createdAtMs >= sinceMs) throw unprocessable("Validation failed: Too many messages");
}

/** Not for a blocked contact. */
function reopenForCustomer(context: LiveAgentContext, conversation: Conversation): void {
  const { state, profile, behaviour } = context;
  if (conversation.status === "snoozed") updateConversation(context, conversation, { status: "open", snoozedUntil: null });
  if (behaviour.afterEnd !== "reopen" || conversation.status !== "resolved") return;
  if (getContact(state, conversation.contactId).blocked) return;
  const hasBot = findActiveBot(state, getInbox(state, conversation.inboxId)) !== undefined;
  updateConversation(context, conversation, { status: hasBot && profile.has("pendingOnReopenWithBot") ? "pending" : "open" });
}

function followIncoming(context: LiveAgentContext, message: Message): void {
  const { conversation } = message;
  getContact(context.state, conversation.contactId).lastActivityAtMs = message.createdAtMs;
  conversation.lastCustomerLineAtMs = message.createdAtMs;
  conversation.isCustomerTyping = false;
  sendTemplates(context, conversation, getInbox(context.state, conversation.inboxId));
  if (conversation.waitingSinceMs === null && conversation.status === "open") {
    updateConversation(context, conversation, { waitingSinceMs: message.createdAtMs });
  }
}

/** Greeting and absence note: only when nothing was sent to the customer before. A replayed line of the bot suppresses them. */
function sendTemplates(context: LiveAgentContext, conversation: Conversation, inbox: Inbox): void {
  if (conversation.messages.some((message) => message.type === "outgoing" || message.type === "template")) return;
  const isAway = inbox.workingHoursEnabled && inbox.outOfOfficeMessage !== null && !isWorkingTime(context.clock.now());
  for (const content of [inbox.greetingMessage, isAway ? inbox.outOfOfficeMessage : null]) {
    if (content !== null) addMessage(context, conversation, { type: "template", content, sender: null });
  }
}

/** Monday to Friday from 9 to 17, UTC. */
function isWorkingTime(nowMs: number): boolean {
  const now = new Date(nowMs);
  const isWeekday = now.getUTCDay() >= 1 && now.getUTCDay() <= 5;
  return isWeekday && now.getUTCHours() >= 9 && now.getUTCHours() < 17;
}

/** The product counts every outgoing line of a user as a reply, also those that a program sends with a user's token. */
function followReply(context: LiveAgentContext, message: Message): void {
  const { conversation } = message;
  const isProgram = context.state.users.get(message.sender?.id ?? 0)?.isProgram ?? false;
  if (!isProgram) conversation.isAttended = true;
  const firstReplyAtMs = conversation.firstReplyAtMs ?? message.createdAtMs;
  updateConversation(context, conversation, { firstReplyAtMs, waitingSinceMs: null });
}
