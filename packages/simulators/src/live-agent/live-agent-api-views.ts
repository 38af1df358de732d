import type { LiveAgentContext } from "./live-agent-context.ts";
import { viewQueue } from "./live-agent-queue.ts";
import {
  canReply,
  countUnread,
  statusOnWire,
  typeNumbers,
  viewAttachments,
  viewMessagePush,
  viewSenderPush,
} from "./live-agent-push-views.ts";
import type { Conversation, JsonObject, Message } from "./live-agent-state.ts";
import { findAssignee, getContact, getContactInbox, getInbox } from "./live-agent-state.ts";
import { toUnix } from "./live-agent-values.ts";
import { channelOf, viewAgent, viewContact, viewTeam } from "./live-agent-views.ts";

/** The shape of the message calls. */
export function viewMessage(context: LiveAgentContext, message: Message, echoId?: string): JsonObject {
  const sender = viewSenderPush(context, message);
  return {
    id: message.id,
    content: message.content,
    inbox_id: message.conversation.inboxId,
    ...(echoId === undefined ? {} : { echo_id: echoId }),
    conversation_id: message.conversation.displayId,
    message_type: typeNumbers[message.type],
    content_type: message.contentType,
    ...(context.profile.has("messageStatus") ? { status: message.status } : {}),
    content_attributes: message.contentAttributes,
    created_at: toUnix(message.createdAtMs),
    private: message.isPrivate,
    source_id: message.sourceId,
    ...(sender ? { sender } : {}),
    ...viewAttachments(context, message),
    ...(context.behaviour.hasUnknownFields ? { simulator_unknown: { nested: true } } : {}),
  };
}

/** The shape of the conversation calls. */
export function viewConversation(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { profile, behaviour } = context;
  const lastSpoken = conversation.messages.findLast((message) => message.type !== "activity");
  return {
    meta: viewMeta(context, conversation),
    id: conversation.displayId,
    messages: listShownMessages(context, conversation).map((message) => viewMessagePush(context, message)),
    account_id: conversation.accountId,
    ...(profile.has("conversationUuid") ? { uuid: conversation.uuid } : {}),
    additional_attributes: conversation.additionalAttributes,
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    assignee_last_seen_at: 0,
    can_reply: canReply(context, conversation),
    contact_last_seen_at: toUnix(conversation.contactLastSeenAtMs),
    ...(profile.has("conversationAttributes") ? { custom_attributes: conversation.customAttributes } : {}),
    inbox_id: conversation.inboxId,
    labels: conversation.labels,
    muted: conversation.isMuted,
    snoozed_until: conversation.snoozedUntil,
    status: statusOnWire(context, conversation),
    created_at: toUnix(conversation.createdAtMs),
    updated_at: conversation.updatedAtMs / 1000,
    timestamp: toUnix(conversation.lastActivityAtMs),
    first_reply_created_at: toUnix(conversation.firstReplyAtMs ?? 0),
    unread_count: countUnread(conversation),
    last_non_activity_message: lastSpoken ? viewMessagePush(context, lastSpoken) : null,
    last_activity_at: toUnix(conversation.lastActivityAtMs),
    ...(profile.has("priority") ? { priority: conversation.priority } : {}),
    ...(profile.has("waitingSince") ? { waiting_since: toUnix(conversation.waitingSinceMs ?? 0) } : {}),
    sla_policy_id: null,
    ...(profile.isLiveAgent ? { cognigy_session_id: sessionIdOf(conversation) } : {}),
    ...viewQueue(context, conversation),
    ...(behaviour.hasUnknownFields ? { simulator_unknown: { nested: true } } : {}),
  };
}

function viewMeta(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { state, profile } = context;
  const { accountId } = conversation;
  const assignee = findAssignee(state, conversation);
  const bot = conversation.assigneeBotId === null ? undefined : state.agentBots.get(conversation.assigneeBotId);
  const team = conversation.teamId === null ? undefined : state.teams.get(conversation.teamId);
  const shown = assignee ? viewAgent(context, assignee, accountId) : bot && { id: bot.id, name: bot.name };
  const assigneeType = profile.has("botAssignee") ? { assignee_type: assignee ? "User" : "AgentBot" } : {};
  return {
    sender: viewContact(context, getContact(state, conversation.contactId), false),
    channel: channelOf(context, getInbox(state, conversation.inboxId)),
    ...(shown ? { assignee: shown, ...assigneeType } : {}),
    ...(team ? { team: viewTeam(team, undefined) } : {}),
    hmac_verified: getContactInbox(state, conversation.contactInboxId).hmacVerified,
  };
}

/** 1.19 shows up to ten unread lines, later versions the last one. */
function listShownMessages(context: LiveAgentContext, conversation: Conversation): readonly Message[] {
  if (context.profile.has("identifierOnlyContacts")) return conversation.messages.slice(-1);
  const unread = conversation.messages.filter(
    (message) => message.type === "incoming" && message.createdAtMs > conversation.agentLastSeenAtMs,
  );
  return unread.slice(-10);
}

export function sessionIdOf(conversation: Conversation): string | null {
  const id = conversation.additionalAttributes["cognigy_session_id"];
  return typeof id === "string" ? id : null;
}
