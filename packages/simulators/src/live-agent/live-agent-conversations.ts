import { randomUUID } from "node:crypto";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { invalidRecord, unprocessable } from "./live-agent-errors.ts";
import { addMessage } from "./live-agent-messages.ts";
import type { ContactInbox, Conversation, JsonObject, Priority, Status, User } from "./live-agent-state.ts";
import { findAssignee, getContact, getInbox, isTerminal, takeId } from "./live-agent-state.ts";
import { updateConversation } from "./live-agent-updates.ts";
import { publishConversation } from "./live-agent-webhooks.ts";

export interface NewConversation {
  readonly status: Status;
  readonly additionalAttributes: JsonObject;
  readonly customAttributes: JsonObject;
  readonly snoozedUntil: string | null;
  readonly assigneeId: number | null;
}

export function createConversation(context: LiveAgentContext, contactInbox: ContactInbox, input: NewConversation): Conversation {
  refuseLongAttributes("additional_attributes", input.additionalAttributes);
  refuseLongAttributes("custom_attributes", input.customAttributes);
  const { state } = context;
  if (getInbox(state, contactInbox.inboxId).lockToSingleConversation) {
    const existing = [...state.conversations.values()].findLast((conversation) => conversation.contactInboxId === contactInbox.id);
    if (existing) return existing;
  }
  const nowMs = context.clock.now();
  const isBlocked = getContact(state, contactInbox.contactId).blocked;
  const conversation: Conversation = {
    internalId: takeId(state, "conversation"),
    displayId: takeId(state, "display"),
    uuid: randomUUID(),
    inboxId: contactInbox.inboxId,
    contactId: contactInbox.contactId,
    contactInboxId: contactInbox.id,
    status: isBlocked ? "resolved" : input.status,
    priority: null,
    assigneeId: input.assigneeId,
    labels: [],
    customAttributes: { ...input.customAttributes },
    additionalAttributes: cleanReferer(input.additionalAttributes),
    snoozedUntil: input.snoozedUntil,
    firstReplyAtMs: null,
    waitingSinceMs: nowMs,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    lastActivityAtMs: nowMs,
    agentLastSeenAtMs: 0,
    messages: [],
    isAttended: false,
  };
  state.conversations.set(conversation.displayId, conversation);
  publishConversation(context, "conversation_created", conversation);
  announceChange(context, conversation);
  return conversation;
}

/** Throws when a terminal conversation is to be opened again where the product does not do that. */
export function setStatus(
  context: LiveAgentContext,
  conversation: Conversation,
  status: Status,
  by: User | undefined,
  snoozedUntil: string | null = null,
): void {
  if (conversation.status === status) return;
  if (isTerminal(conversation.status) && !context.profile.canReopen) {
    // Live Agent removed reopening from its API; the answer is inferred.
    throw unprocessable("A resolved conversation cannot be opened again");
  }
  updateConversation(context, conversation, {
    status,
    snoozedUntil: status === "snoozed" ? snoozedUntil : null,
    ...(isTerminal(status) ? { waitingSinceMs: null } : {}),
  });
  addActivity(context, conversation, `Conversation was marked ${status}${by ? ` by ${by.name}` : ""}`);
}

export function assign(context: LiveAgentContext, conversation: Conversation, assignee: User | null, by: User | undefined): void {
  const former = findAssignee(context.state, conversation);
  if (!updateConversation(context, conversation, { assigneeId: assignee?.id ?? null })) return;
  const suffix = by ? ` by ${by.name}` : "";
  if (!assignee) addActivity(context, conversation, `${former?.name ?? "The agent"} was unassigned${suffix}`);
  else if (assignee === by) addActivity(context, conversation, `${assignee.name} took the conversation`);
  else addActivity(context, conversation, `Assigned to ${assignee.name}${suffix}`);
}

export function setPriority(context: LiveAgentContext, conversation: Conversation, priority: Priority | null, by: User): void {
  if (!updateConversation(context, conversation, { priority })) return;
  addActivity(context, conversation, `${by.name} set the priority to ${priority ?? "none"}`);
}

/** Replaces the whole list. */
export function setLabels(context: LiveAgentContext, conversation: Conversation, labels: readonly string[], by: User): void {
  const unique = [...new Set(labels)];
  if (!updateConversation(context, conversation, { labels: unique })) return;
  addActivity(context, conversation, `${by.name} set the labels: ${unique.join(", ") || "none"}`);
}

/** Replaces the whole object. */
export function setCustomAttributes(context: LiveAgentContext, conversation: Conversation, attributes: JsonObject): void {
  refuseLongAttributes("custom_attributes", attributes);
  updateConversation(context, conversation, { customAttributes: { ...attributes } });
}

function addActivity(context: LiveAgentContext, conversation: Conversation, content: string): void {
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
