import { randomUUID } from "node:crypto";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { findSurvey, surveyText } from "./live-agent-csat.ts";
import { invalidRecord, unprocessable } from "./live-agent-errors.ts";
import { addMessage } from "./live-agent-messages.ts";
import { chooseAgent } from "./live-agent-routing.ts";
import type { Actor, AgentBot, ContactInbox, Conversation, JsonObject, Message, Priority, Status, Team, User } from "./live-agent-state.ts";
import { conversationKey, findActiveBot, findAssignee, getAccount, getContact, getInbox, isTerminal, takeId } from "./live-agent-state.ts";
import { updateConversation } from "./live-agent-updates.ts";
import { publishConversation } from "./live-agent-webhooks.ts";

export interface NewConversation {
  readonly status: Status;
  readonly additionalAttributes: JsonObject;
  readonly customAttributes: JsonObject;
  readonly snoozedUntil: string | null;
  readonly assigneeId: number | null;
  readonly teamId: number | null;
}

export const emptyConversation: NewConversation = {
  status: "open",
  additionalAttributes: {},
  customAttributes: {},
  snoozedUntil: null,
  assigneeId: null,
  teamId: null,
};

/** A new one or, in an inbox that is locked to a single conversation, the last one of the contact inbox, whatever its state. */
export function createConversation(context: LiveAgentContext, contactInbox: ContactInbox, input: NewConversation): Conversation {
  refuseLongAttributes("additional_attributes", input.additionalAttributes);
  refuseLongAttributes("custom_attributes", input.customAttributes);
  const { state } = context;
  const inbox = getInbox(state, contactInbox.inboxId);
  if (inbox.lockToSingleConversation && context.profile.has("messageStatus")) {
    const existing = [...state.conversations.values()].findLast((conversation) => conversation.contactInboxId === contactInbox.id);
    if (existing) return existing;
  }
  const conversation = makeConversation(context, contactInbox, input);
  state.conversations.set(conversation.key, conversation);
  publishConversation(context, "conversation_created", conversation);
  announceChange(context, conversation);
  if (inbox.enableAutoAssignment && conversation.status === "open" && conversation.assigneeId === null) {
    assign(context, conversation, chooseAgent(context, conversation) ?? null, undefined);
  }
  return conversation;
}

function makeConversation(context: LiveAgentContext, contactInbox: ContactInbox, input: NewConversation): Conversation {
  const { state, profile } = context;
  const inbox = getInbox(state, contactInbox.inboxId);
  const account = getAccount(state, inbox.accountId);
  const isBlocked = getContact(state, contactInbox.contactId).blocked;
  const status = isBlocked ? "resolved" : findActiveBot(state, inbox) ? "pending" : input.status;
  const displayId = account.nextDisplayId;
  account.nextDisplayId += 1;
  const nowMs = context.clock.now();
  return {
    key: conversationKey(state, account.id, displayId),
    internalId: takeId(state, "conversation"),
    displayId,
    accountId: account.id,
    uuid: randomUUID(),
    inboxId: inbox.id,
    contactId: contactInbox.contactId,
    contactInboxId: contactInbox.id,
    status,
    priority: null,
    assigneeId: input.assigneeId,
    assigneeBotId: null,
    teamId: input.teamId,
    labels: [],
    customAttributes: profile.has("messageStatus") ? { ...input.customAttributes } : {},
    additionalAttributes: cleanReferer(input.additionalAttributes),
    snoozedUntil: input.snoozedUntil,
    firstReplyAtMs: null,
    waitingSinceMs: nowMs,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    lastActivityAtMs: nowMs,
    lastCustomerLineAtMs: null,
    agentLastSeenAtMs: 0,
    contactLastSeenAtMs: 0,
    isMuted: false,
    participantIds: new Set(),
    messages: [],
    isAttended: false,
    isCustomerTyping: false,
  };
}

/** Throws when a terminal conversation is to be opened again where the product does not do that. */
export function setStatus(
  context: LiveAgentContext,
  conversation: Conversation,
  status: Status,
  by: Pick<Actor, "name"> | undefined,
  snoozedUntil: string | null = null,
): void {
  if (conversation.status === status) return;
  if (isTerminal(conversation.status) && context.profile.isLiveAgent) {
    // Live Agent removed reopening from its API; the answer is inferred.
    throw unprocessable("A resolved conversation cannot be opened again");
  }
  updateConversation(context, conversation, {
    status,
    snoozedUntil: status === "snoozed" ? snoozedUntil : null,
    ...(isTerminal(status) ? { waitingSinceMs: null } : {}),
  });
  addActivity(context, conversation, `Conversation was marked ${status}${by ? ` by ${by.name}` : ""}`);
  if (status === "resolved" && getInbox(context.state, conversation.inboxId).csatSurveyEnabled) offerSurvey(context, conversation);
}

/** Once per conversation. */
export function offerSurvey(context: LiveAgentContext, conversation: Conversation): Message | undefined {
  if (findSurvey(conversation)) return undefined;
  const content = surveyText(context, conversation);
  return addMessage(context, conversation, { type: "template", content, contentType: "input_csat", sender: null });
}

export function assign(context: LiveAgentContext, conversation: Conversation, assignee: User | null, by: Actor | User | undefined): void {
  const former = findAssignee(context.state, conversation);
  if (!updateConversation(context, conversation, { assigneeId: assignee?.id ?? null, assigneeBotId: null })) return;
  const suffix = by ? ` by ${by.name}` : "";
  if (!assignee) addActivity(context, conversation, `${former?.name ?? "The agent"} was unassigned${suffix}`);
  else if (assignee.id === by?.id) addActivity(context, conversation, `${assignee.name} took the conversation`);
  else addActivity(context, conversation, `Assigned to ${assignee.name}${suffix}`);
}

export function assignBot(context: LiveAgentContext, conversation: Conversation, bot: AgentBot): void {
  updateConversation(context, conversation, { assigneeId: null, assigneeBotId: bot.id });
}

export function setTeam(
  context: LiveAgentContext,
  conversation: Conversation,
  team: Team | null,
  by: Pick<Actor, "name"> | undefined,
): void {
  if (!updateConversation(context, conversation, { teamId: team?.id ?? null })) return;
  addActivity(context, conversation, `${team ? `Assigned to ${team.name}` : "Unassigned from the team"}${by ? ` by ${by.name}` : ""}`);
}

/** Live Agent lets agents move a conversation to another inbox; its source id stays. */
export function moveToInbox(context: LiveAgentContext, conversation: Conversation, inboxId: number): void {
  updateConversation(context, conversation, { inboxId });
}

export function setPriority(
  context: LiveAgentContext,
  conversation: Conversation,
  priority: Priority | null,
  by: Pick<Actor, "name">,
): void {
  if (!updateConversation(context, conversation, { priority })) return;
  addActivity(context, conversation, `${by.name} set the priority to ${priority ?? "none"}`);
}

/** Replaces the whole list. */
export function setLabels(context: LiveAgentContext, conversation: Conversation, labels: readonly string[], by: Pick<Actor, "name">): void {
  const unique = [...new Set(labels)];
  if (!updateConversation(context, conversation, { labels: unique })) return;
  addActivity(context, conversation, `${by.name} set the labels: ${unique.join(", ") || "none"}`);
}

/** Replaces the whole object. */
export function setCustomAttributes(context: LiveAgentContext, conversation: Conversation, attributes: JsonObject): void {
  refuseLongAttributes("custom_attributes", attributes);
  updateConversation(context, conversation, { customAttributes: { ...attributes } });
}

/** Upstream a muted conversation is resolved and its contact blocked; Live Agent does not resolve it any more. */
export function setMuted(context: LiveAgentContext, conversation: Conversation, isMuted: boolean, by: Pick<Actor, "name">): void {
  conversation.isMuted = isMuted;
  getContact(context.state, conversation.contactId).blocked = isMuted;
  if (isMuted && !context.profile.isLiveAgent && !isTerminal(conversation.status)) setStatus(context, conversation, "resolved", by);
  addActivity(context, conversation, `${by.name} has ${isMuted ? "muted" : "unmuted"} the conversation`);
}

export function addActivity(context: LiveAgentContext, conversation: Conversation, content: string): void {
  addMessage(context, conversation, { type: "activity", content, sender: null });
}

function refuseLongAttributes(attribute: string, attributes: JsonObject): void {
  for (const [key, value] of Object.entries(attributes)) {
    const isTooLong = typeof value === "string" && value.length > 1500;
    const isTooLarge = typeof value === "number" && value > 9_999_999_999;
    if (isTooLong) throw invalidRecord([{ attribute, message: `${key} length should be < 1500` }]);
    if (isTooLarge) throw invalidRecord([{ attribute, message: `${key} value should be < 9999999999` }]);
  }
}

function cleanReferer(attributes: JsonObject): JsonObject {
  if (!("referer" in attributes)) return { ...attributes };
  const { referer } = attributes;
  return { ...attributes, referer: typeof referer === "string" && URL.canParse(referer) ? referer : null };
}
