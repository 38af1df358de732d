import { viewAttachment } from "./live-agent-attachments.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Contact, ContactInbox, Conversation, JsonObject, Message, MessageType, SenderKind, User } from "./live-agent-state.ts";
import { findAssignee, getAccount, getContact, getContactInbox, getInbox } from "./live-agent-state.ts";
import { toIso, toUnix } from "./live-agent-values.ts";
import { channelOf, nameOutside, viewTeam } from "./live-agent-views.ts";

export const typeNumbers: Readonly<Record<MessageType, number>> = { incoming: 0, outgoing: 1, activity: 2, template: 3 };

const senderTypes: Readonly<Record<SenderKind, string>> = {
  user: "User",
  contact: "Contact",
  agent_bot: "AgentBot",
  captain_assistant: "Captain::Assistant",
  cognigy: "cognigy",
};

/** A user as part of a message or conversation. Computed without an account, so nobody's availability is known. */
function viewUserPush(context: LiveAgentContext, user: User): JsonObject {
  const name = nameOutside(context, user);
  return {
    id: user.id,
    name,
    available_name: name,
    avatar_url: "",
    type: "user",
    availability_status: null,
    ...(context.profile.has("fullConversationPush") ? { thumbnail: "" } : {}),
  };
}

function viewContactPush(context: LiveAgentContext, contact: Contact, contactInbox: ContactInbox | undefined): JsonObject {
  const { id, email, identifier, name, phoneNumber } = contact;
  if (!context.profile.has("fullConversationPush")) {
    const credential = { pubsub_token: contactInbox?.pubsubToken ?? "" };
    return { email, id, identifier, name, phone_number: phoneNumber, ...credential, thumbnail: "", type: "contact" };
  }
  return {
    additional_attributes: contact.additionalAttributes,
    custom_attributes: contact.customAttributes,
    email,
    id,
    identifier,
    name,
    phone_number: phoneNumber,
    thumbnail: "",
    blocked: contact.blocked,
    type: "contact",
  };
}

export function viewSenderPush(context: LiveAgentContext, message: Message): JsonObject | undefined {
  const { sender, conversation } = message;
  if (!sender) return undefined;
  if (sender.kind === "contact") {
    return viewContactPush(context, getContact(context.state, sender.id), getContactInbox(context.state, conversation.contactInboxId));
  }
  if (sender.kind !== "user") return { id: sender.id, name: botName(context, sender), avatar_url: "", type: sender.kind };
  const user = context.state.users.get(sender.id);
  return user && viewUserPush(context, user);
}

/** A bot, an assistant or Cognigy's own sender. */
export function botName({ state }: LiveAgentContext, sender: { readonly kind: SenderKind; readonly id: number }): string {
  if (sender.kind === "agent_bot") return state.agentBots.get(sender.id)?.name ?? "Bot";
  return sender.kind === "cognigy" ? "Cognigy" : "Captain";
}

export function viewAttachments(context: LiveAgentContext, message: Message): JsonObject {
  if (message.attachments.length === 0) return {};
  return { attachments: message.attachments.map((attachment) => viewAttachment(context, message, attachment)) };
}

/** The shape inside conversations and webhooks: all columns. */
export function viewMessagePush(context: LiveAgentContext, message: Message): JsonObject {
  const { profile, state } = context;
  const { conversation } = message;
  const sender = viewSenderPush(context, message);
  return {
    id: message.id,
    content: message.content,
    account_id: conversation.accountId,
    inbox_id: conversation.inboxId,
    conversation_id: conversation.displayId,
    message_type: typeNumbers[message.type],
    created_at: toUnix(message.createdAtMs),
    updated_at: toIso(message.updatedAtMs),
    private: message.isPrivate,
    status: message.status,
    source_id: message.sourceId,
    content_type: message.contentType,
    content_attributes: message.contentAttributes,
    sender_type: message.sender ? senderTypes[message.sender.kind] : null,
    sender_id: message.sender?.id ?? null,
    external_source_ids: {},
    ...(profile.has("conversationInMessagePush")
      ? {
          additional_attributes: {},
          processed_message_content: message.content,
          sentiment: {},
          conversation: {
            assignee_id: conversation.assigneeId,
            unread_count: countUnread(conversation),
            last_activity_at: toUnix(conversation.lastActivityAtMs),
            contact_inbox: { source_id: getContactInbox(state, conversation.contactInboxId).sourceId },
          },
        }
      : {}),
    ...viewAttachments(context, message),
    ...(sender ? { sender } : {}),
  };
}

/** The shape inside webhooks. `messages` holds what is the last public line now, perhaps newer than the event. */
export function viewConversationPush(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { state, profile } = context;
  const contactInbox = getContactInbox(state, conversation.contactInboxId);
  const lastPublic = conversation.messages.findLast((message) => message.type !== "activity" && !message.isPrivate);
  const { id, name } = getAccount(state, conversation.accountId);
  return {
    additional_attributes: conversation.additionalAttributes,
    can_reply: canReply(context, conversation),
    channel: channelOf(context, getInbox(state, conversation.inboxId)),
    contact_inbox: viewContactInboxPush(context, contactInbox),
    id: conversation.displayId,
    inbox_id: conversation.inboxId,
    messages: lastPublic ? [viewMessagePush(context, lastPublic)] : [],
    ...(profile.has("labelsInPush") ? { labels: conversation.labels } : {}),
    meta: viewMetaPush(context, conversation, contactInbox),
    status: statusOnWire(context, conversation),
    ...(profile.has("customAttributesInPush") ? { custom_attributes: conversation.customAttributes } : {}),
    ...(profile.has("fullConversationPush")
      ? {
          snoozed_until: conversation.snoozedUntil,
          first_reply_created_at: conversation.firstReplyAtMs === null ? null : toIso(conversation.firstReplyAtMs),
        }
      : {}),
    unread_count: countUnread(conversation),
    ...(profile.has("priority") ? { priority: conversation.priority } : {}),
    ...(profile.has("waitingSince") ? { waiting_since: toUnix(conversation.waitingSinceMs ?? 0) } : {}),
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    contact_last_seen_at: toUnix(conversation.contactLastSeenAtMs),
    ...(profile.has("lastActivityInPush") ? { last_activity_at: toUnix(conversation.lastActivityAtMs) } : {}),
    timestamp: toUnix(conversation.lastActivityAtMs),
    ...(profile.has("createdAtInPush") ? { created_at: toUnix(conversation.createdAtMs) } : {}),
    ...(profile.has("updatedAtInPush") ? { updated_at: conversation.updatedAtMs / 1000 } : {}),
    ...(profile.has("accountInConversation") ? { account: { id, name } } : {}),
  };
}

function viewContactInboxPush({ profile }: LiveAgentContext, contactInbox: ContactInbox): JsonObject {
  return {
    id: contactInbox.id,
    contact_id: contactInbox.contactId,
    inbox_id: contactInbox.inboxId,
    source_id: contactInbox.sourceId,
    created_at: toIso(contactInbox.createdAtMs),
    updated_at: toIso(contactInbox.createdAtMs),
    hmac_verified: contactInbox.hmacVerified,
    ...(profile.has("contactInboxPubsubToken") ? { pubsub_token: contactInbox.pubsubToken } : {}),
  };
}

function viewMetaPush(context: LiveAgentContext, conversation: Conversation, contactInbox: ContactInbox): JsonObject {
  const { state, profile } = context;
  const assignee = findAssignee(state, conversation);
  const bot = conversation.assigneeBotId === null ? undefined : state.agentBots.get(conversation.assigneeBotId);
  const team = conversation.teamId === null ? undefined : state.teams.get(conversation.teamId);
  const shown = assignee ? viewUserPush(context, assignee) : bot ? { id: bot.id, name: bot.name, type: "agent_bot" } : null;
  return {
    sender: viewContactPush(context, getContact(state, conversation.contactId), contactInbox),
    assignee: shown,
    ...(profile.has("botAssignee") ? { assignee_type: assignee ? "User" : bot ? "AgentBot" : null } : {}),
    ...(profile.has("fullConversationPush")
      ? { team: team ? viewTeam(team, undefined) : null, hmac_verified: contactInbox.hmacVerified }
      : {}),
  };
}

/** What Live Agent's fourth state is called is not documented. */
export function statusOnWire({ behaviour }: LiveAgentContext, { status }: Pick<Conversation, "status">): string {
  return status === "abandoned" ? behaviour.abandonedStatus : status;
}

/** An inbox can close the conversation for agents some hours after the customer's last line. */
export function canReply({ state, clock }: LiveAgentContext, conversation: Conversation): boolean {
  const hours = Number(getInbox(state, conversation.inboxId).channelAttributes["agent_reply_time_window"] ?? Infinity);
  if (!Number.isFinite(hours) || hours <= 0) return true;
  return conversation.lastCustomerLineAtMs !== null && clock.now() - conversation.lastCustomerLineAtMs < hours * 3_600_000;
}

export function countUnread(conversation: Conversation): number {
  const unread = conversation.messages.filter(
    (message) => message.type === "incoming" && message.createdAtMs > conversation.agentLastSeenAtMs,
  );
  return Math.min(10, unread.length);
}
