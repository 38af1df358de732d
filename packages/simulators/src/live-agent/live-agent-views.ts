import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Contact, Conversation, Inbox, JsonObject, LiveAgentState, Message, MessageType, User } from "./live-agent-state.ts";
import { findAssignee, getContact, getContactInbox, getInbox } from "./live-agent-state.ts";
import { toIso, toUnix } from "./live-agent-values.ts";

const typeNumbers: Readonly<Record<MessageType, number>> = { incoming: 0, outgoing: 1, activity: 2, template: 3 };

export function viewContact(state: LiveAgentState, contact: Contact, withInboxes = true): JsonObject {
  return {
    additional_attributes: contact.additionalAttributes,
    availability_status: "offline",
    email: contact.email,
    id: contact.id,
    name: contact.name,
    phone_number: contact.phoneNumber,
    blocked: contact.blocked,
    identifier: contact.identifier,
    thumbnail: "",
    custom_attributes: contact.customAttributes,
    ...(contact.lastActivityAtMs === null ? {} : { last_activity_at: toUnix(contact.lastActivityAtMs) }),
    created_at: toUnix(contact.createdAtMs),
    ...(withInboxes ? { contact_inboxes: viewContactInboxes(state, contact) } : {}),
  };
}

function viewContactInboxes(state: LiveAgentState, contact: Contact): JsonObject[] {
  return [...state.contactInboxes.values()]
    .filter((contactInbox) => contactInbox.contactId === contact.id)
    .map((contactInbox) => ({ source_id: contactInbox.sourceId, inbox: viewInboxSlim(getInbox(state, contactInbox.inboxId)) }));
}

export function viewInboxSlim(inbox: Inbox): JsonObject {
  return { id: inbox.id, avatar_url: "", channel_id: inbox.channelId, name: inbox.name, channel_type: "Channel::Api", provider: null };
}

export function viewInbox(context: LiveAgentContext, inbox: Inbox, viewer: User): JsonObject {
  const isAdministrator = viewer.role === "administrator";
  return {
    ...viewInboxSlim(inbox),
    greeting_enabled: inbox.greetingMessage !== null,
    greeting_message: inbox.greetingMessage,
    working_hours_enabled: false,
    enable_email_collect: true,
    csat_survey_enabled: false,
    enable_auto_assignment: false,
    auto_assignment_config: {},
    out_of_office_message: null,
    working_hours: [],
    timezone: "UTC",
    callback_webhook_url: null,
    allow_messages_after_resolved: true,
    lock_to_single_conversation: inbox.lockToSingleConversation,
    sender_name_type: "friendly",
    business_name: null,
    hmac_mandatory: false,
    additional_attributes: {},
    inbox_identifier: inbox.identifier,
    webhook_url: inbox.webhookUrl,
    ...(isAdministrator ? { hmac_token: inbox.hmacToken } : {}),
    ...(isAdministrator && context.profile.signsWebhooks ? { secret: inbox.secret } : {}),
  };
}

export function viewAgent(state: LiveAgentState, user: User): JsonObject {
  return {
    id: user.id,
    account_id: state.account.id,
    availability_status: user.availability,
    auto_offline: true,
    confirmed: true,
    email: user.email,
    provider: "email",
    available_name: user.name,
    name: user.name,
    role: user.role,
    thumbnail: "",
    custom_role_id: null,
  };
}

export function viewProfile(state: LiveAgentState, user: User): JsonObject {
  const { id, name, role, availability } = user;
  return {
    access_token: user.token,
    account_id: state.account.id,
    available_name: name,
    avatar_url: "",
    confirmed: true,
    display_name: null,
    message_signature: null,
    email: user.email,
    id,
    name,
    provider: "email",
    pubsub_token: `simulator-pubsub-user-${id}`,
    role,
    type: null,
    ui_settings: {},
    uid: user.email,
    accounts: [
      {
        id: state.account.id,
        name: state.account.name,
        status: "active",
        active_at: null,
        role,
        permissions: [role],
        availability,
        availability_status: availability,
        auto_offline: true,
      },
    ],
  };
}

/** A user as part of a message or conversation. Computed without an account, so nobody's availability is known. */
function viewUserPush(user: User): JsonObject {
  return {
    id: user.id,
    name: user.name,
    available_name: user.name,
    avatar_url: "",
    type: "user",
    availability_status: null,
    thumbnail: "",
  };
}

function viewContactPush(contact: Contact): JsonObject {
  return {
    additional_attributes: contact.additionalAttributes,
    custom_attributes: contact.customAttributes,
    email: contact.email,
    id: contact.id,
    identifier: contact.identifier,
    name: contact.name,
    phone_number: contact.phoneNumber,
    thumbnail: "",
    blocked: contact.blocked,
    type: "contact",
  };
}

function viewSenderPush(state: LiveAgentState, message: Message): JsonObject | undefined {
  if (!message.sender) return undefined;
  if (message.sender.kind === "contact") return viewContactPush(getContact(state, message.sender.id));
  const user = state.users.get(message.sender.id);
  return user && viewUserPush(user);
}

/** The shape of the message calls. */
export function viewMessage(state: LiveAgentState, message: Message, echoId?: string): JsonObject {
  const sender = viewSenderPush(state, message);
  return {
    id: message.id,
    content: message.content,
    inbox_id: message.conversation.inboxId,
    ...(echoId === undefined ? {} : { echo_id: echoId }),
    conversation_id: message.conversation.displayId,
    message_type: typeNumbers[message.type],
    content_type: message.contentType,
    status: message.status,
    content_attributes: message.contentAttributes,
    created_at: toUnix(message.createdAtMs),
    private: message.isPrivate,
    source_id: message.sourceId,
    ...(sender ? { sender } : {}),
  };
}

/** The shape inside conversations and webhooks: all columns. */
function viewMessagePush(state: LiveAgentState, message: Message): JsonObject {
  const { conversation } = message;
  const sender = viewSenderPush(state, message);
  return {
    id: message.id,
    content: message.content,
    account_id: state.account.id,
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
    sender_type: message.sender ? (message.sender.kind === "user" ? "User" : "Contact") : null,
    sender_id: message.sender?.id ?? null,
    external_source_ids: {},
    additional_attributes: {},
    processed_message_content: message.content,
    sentiment: {},
    conversation: {
      assignee_id: conversation.assigneeId,
      unread_count: countUnread(conversation),
      last_activity_at: toUnix(conversation.lastActivityAtMs),
      contact_inbox: { source_id: getContactInbox(state, conversation.contactInboxId).sourceId },
    },
    ...(sender ? { sender } : {}),
  };
}

/** The shape of the conversation calls. */
export function viewConversation(state: LiveAgentState, conversation: Conversation): JsonObject {
  const assignee = findAssignee(state, conversation);
  const last = conversation.messages.at(-1);
  const lastSpoken = conversation.messages.findLast((message) => message.type !== "activity");
  return {
    meta: {
      sender: viewContact(state, getContact(state, conversation.contactId), false),
      channel: "Channel::Api",
      ...(assignee ? { assignee: viewAgent(state, assignee), assignee_type: "User" } : {}),
      hmac_verified: getContactInbox(state, conversation.contactInboxId).hmacVerified,
    },
    id: conversation.displayId,
    messages: last ? [viewMessagePush(state, last)] : [],
    account_id: state.account.id,
    uuid: conversation.uuid,
    additional_attributes: conversation.additionalAttributes,
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    assignee_last_seen_at: 0,
    can_reply: true,
    contact_last_seen_at: 0,
    custom_attributes: conversation.customAttributes,
    inbox_id: conversation.inboxId,
    labels: conversation.labels,
    muted: false,
    snoozed_until: conversation.snoozedUntil,
    status: conversation.status,
    created_at: toUnix(conversation.createdAtMs),
    updated_at: conversation.updatedAtMs / 1000,
    timestamp: toUnix(conversation.lastActivityAtMs),
    first_reply_created_at: toUnix(conversation.firstReplyAtMs ?? 0),
    unread_count: countUnread(conversation),
    last_non_activity_message: lastSpoken ? viewMessagePush(state, lastSpoken) : null,
    last_activity_at: toUnix(conversation.lastActivityAtMs),
    priority: conversation.priority,
    waiting_since: toUnix(conversation.waitingSinceMs ?? 0),
    sla_policy_id: null,
  };
}

/** The shape inside webhooks. `messages` holds what is the last public line now, perhaps newer than the event. */
export function viewConversationPush(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { state, profile } = context;
  const assignee = findAssignee(state, conversation);
  const contactInbox = getContactInbox(state, conversation.contactInboxId);
  const lastPublic = conversation.messages.findLast((message) => message.type !== "activity" && !message.isPrivate);
  return {
    additional_attributes: conversation.additionalAttributes,
    can_reply: true,
    channel: "Channel::Api",
    contact_inbox: {
      id: contactInbox.id,
      contact_id: contactInbox.contactId,
      inbox_id: contactInbox.inboxId,
      source_id: contactInbox.sourceId,
      created_at: toIso(contactInbox.createdAtMs),
      updated_at: toIso(contactInbox.createdAtMs),
      hmac_verified: contactInbox.hmacVerified,
      pubsub_token: contactInbox.pubsubToken,
    },
    id: conversation.displayId,
    inbox_id: conversation.inboxId,
    messages: lastPublic ? [viewMessagePush(state, lastPublic)] : [],
    labels: conversation.labels,
    meta: {
      sender: viewContactPush(getContact(state, conversation.contactId)),
      assignee: assignee ? viewUserPush(assignee) : null,
      assignee_type: assignee ? "User" : null,
      team: null,
      hmac_verified: contactInbox.hmacVerified,
    },
    status: conversation.status,
    custom_attributes: conversation.customAttributes,
    snoozed_until: conversation.snoozedUntil,
    unread_count: countUnread(conversation),
    first_reply_created_at: conversation.firstReplyAtMs === null ? null : toIso(conversation.firstReplyAtMs),
    priority: conversation.priority,
    waiting_since: toUnix(conversation.waitingSinceMs ?? 0),
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    contact_last_seen_at: 0,
    last_activity_at: toUnix(conversation.lastActivityAtMs),
    timestamp: toUnix(conversation.lastActivityAtMs),
    created_at: toUnix(conversation.createdAtMs),
    updated_at: conversation.updatedAtMs / 1000,
    ...(profile.hasAccountInConversation ? { account: state.account } : {}),
  };
}

function countUnread(conversation: Conversation): number {
  const unread = conversation.messages.filter(
    (message) => message.type === "incoming" && message.createdAtMs > conversation.agentLastSeenAtMs,
  );
  return Math.min(10, unread.length);
}
