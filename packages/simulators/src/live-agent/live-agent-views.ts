import type { LiveAgentContext } from "./live-agent-context.ts";
import { availabilityOf } from "./live-agent-people.ts";
import type { Account, AgentBot, Contact, Inbox, JsonObject, Team, User } from "./live-agent-state.ts";
import { getInbox } from "./live-agent-state.ts";
import { toIso, toUnix } from "./live-agent-values.ts";

export function viewContact(context: LiveAgentContext, contact: Contact, withInboxes = true): JsonObject {
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
    ...(withInboxes ? { contact_inboxes: viewContactInboxes(context, contact) } : {}),
  };
}

export function viewContactInboxes(context: LiveAgentContext, contact: Contact): JsonObject[] {
  const { state } = context;
  return [...state.contactInboxes.values()]
    .filter((contactInbox) => contactInbox.contactId === contact.id)
    .map((contactInbox) => ({
      source_id: contactInbox.sourceId,
      inbox: viewInboxSlim(context, getInbox(state, contactInbox.inboxId)),
    }));
}

/** The row as the database has it. */
export function viewContactRow(contact: Contact): JsonObject {
  const { id, name, email, phoneNumber, identifier, accountId, additionalAttributes, customAttributes, createdAtMs, blocked } = contact;
  return {
    id,
    name,
    email,
    phone_number: phoneNumber,
    account_id: accountId,
    identifier,
    additional_attributes: additionalAttributes,
    custom_attributes: customAttributes,
    blocked,
    created_at: toIso(createdAtMs),
    updated_at: toIso(createdAtMs),
  };
}

export function channelOf(context: LiveAgentContext, inbox: Inbox): string {
  return inbox.isApi ? context.behaviour.channelType : "Channel::WebWidget";
}

export function viewInboxSlim(context: LiveAgentContext, inbox: Inbox): JsonObject {
  const { id, channelId, name } = inbox;
  return { id, avatar_url: "", channel_id: channelId, name, channel_type: channelOf(context, inbox), provider: null };
}

export function viewInbox(context: LiveAgentContext, inbox: Inbox, isAdministrator: boolean): JsonObject {
  const { profile } = context;
  const days = [0, 1, 2, 3, 4, 5, 6];
  return {
    ...viewInboxSlim(context, inbox),
    greeting_enabled: inbox.greetingMessage !== null,
    greeting_message: inbox.greetingMessage,
    working_hours_enabled: inbox.workingHoursEnabled,
    enable_email_collect: true,
    csat_survey_enabled: inbox.csatSurveyEnabled,
    enable_auto_assignment: inbox.enableAutoAssignment,
    auto_assignment_config: {},
    out_of_office_message: inbox.outOfOfficeMessage,
    working_hours: days.map(viewWorkingHours),
    timezone: inbox.timezone,
    callback_webhook_url: null,
    allow_messages_after_resolved: inbox.allowMessagesAfterResolved,
    ...(profile.has("messageStatus") ? { lock_to_single_conversation: inbox.lockToSingleConversation } : {}),
    sender_name_type: "friendly",
    business_name: null,
    hmac_mandatory: inbox.hmacMandatory,
    additional_attributes: inbox.channelAttributes,
    ...(profile.has("inboxIdentifier") ? { inbox_identifier: inbox.identifier } : {}),
    webhook_url: inbox.webhookUrl,
    ...(profile.isLiveAgent
      ? { cognigy_organization_id: null, cognigy_project_id: null, enable_auto_reassignment: false, conversation_show_all: true }
      : {}),
    ...(isAdministrator && profile.has("hmacTokenInInbox") ? { hmac_token: inbox.hmacToken } : {}),
    ...(isAdministrator && profile.has("signedInboxWebhooks") ? { secret: inbox.secret } : {}),
  };
}

function viewWorkingHours(day: number): JsonObject {
  const isClosed = day === 0 || day === 6;
  return {
    day_of_week: day,
    closed_all_day: isClosed,
    open_hour: isClosed ? null : 9,
    open_minutes: isClosed ? null : 0,
    close_hour: isClosed ? null : 17,
    close_minutes: isClosed ? null : 0,
    open_all_day: false,
  };
}

/** Agents can have another name outside. */
export function nameOutside(context: LiveAgentContext, user: User): string {
  return context.behaviour.masksAgents && !user.isProgram ? `Agent x${user.id.toString(36)}GH5tZ` : user.name;
}

export function viewAgent(context: LiveAgentContext, user: User, accountId: number): JsonObject {
  const membership = user.memberships.get(accountId);
  return {
    id: user.id,
    account_id: accountId,
    availability_status: availabilityOf(user, accountId),
    auto_offline: true,
    confirmed: true,
    email: user.email,
    provider: "email",
    available_name: nameOutside(context, user),
    name: nameOutside(context, user),
    role: membership?.role ?? "agent",
    thumbnail: "",
    custom_role_id: null,
    // Where Live Agent tells an agent's skills is not documented (inferred).
    ...(context.profile.isLiveAgent
      ? { custom_attributes: { skills: membership?.skills ?? [], languages: membership?.languages ?? [] } }
      : {}),
  };
}

export function viewAgentBot(bot: AgentBot): JsonObject {
  const { id, name, description, outgoingUrl, accountId } = bot;
  return { id, name, description, outgoing_url: outgoingUrl, account_id: accountId, bot_type: "webhook", bot_config: {} };
}

export function viewTeam(team: Team, viewerId: number | undefined): JsonObject {
  const { id, name, description, accountId, memberIds } = team;
  const isMember = viewerId !== undefined && memberIds.has(viewerId);
  return { id, name, description, allow_auto_assign: true, account_id: accountId, is_member: isMember };
}

export function viewProfile(user: User, accounts: readonly Account[]): JsonObject {
  const first = accounts[0];
  return {
    access_token: user.token,
    account_id: first?.id ?? null,
    available_name: user.displayName ?? user.name,
    avatar_url: "",
    confirmed: true,
    display_name: user.displayName,
    message_signature: null,
    email: user.email,
    id: user.id,
    name: user.name,
    provider: "email",
    pubsub_token: user.pubsubToken,
    role: first ? (user.memberships.get(first.id)?.role ?? null) : null,
    type: null,
    ui_settings: {},
    uid: user.email,
    accounts: accounts.map((account) => viewMembership(user, account)),
  };
}

function viewMembership(user: User, account: Account): JsonObject {
  const role = user.memberships.get(account.id)?.role ?? "agent";
  const availability = availabilityOf(user, account.id);
  return {
    id: account.id,
    name: account.name,
    status: account.status,
    active_at: null,
    role,
    permissions: [role],
    availability,
    availability_status: availability,
    auto_offline: true,
  };
}
