import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import type { Conversation } from "./live-agent-state.ts";
import { toIso } from "./live-agent-values.ts";
import type { ChangedAttribute } from "./live-agent-webhooks.ts";
import { publishConversation } from "./live-agent-webhooks.ts";

/** The columns whose change the product announces. */
type Announced = Pick<
  Conversation,
  | "status"
  | "priority"
  | "assigneeId"
  | "assigneeBotId"
  | "teamId"
  | "inboxId"
  | "labels"
  | "customAttributes"
  | "snoozedUntil"
  | "firstReplyAtMs"
  | "waitingSinceMs"
>;

const wireNames: Readonly<Record<keyof Announced, string>> = {
  status: "status",
  priority: "priority",
  assigneeId: "assignee_id",
  assigneeBotId: "assignee_agent_bot_id",
  teamId: "team_id",
  // That a move to another inbox is told like this is inferred.
  inboxId: "inbox_id",
  labels: "label_list",
  customAttributes: "custom_attributes",
  snoozedUntil: "snoozed_until",
  firstReplyAtMs: "first_reply_created_at",
  waitingSinceMs: "waiting_since",
};

/** Saves what differs and announces it: a new status first as `conversation_status_changed`, then all as `conversation_updated`. */
export function updateConversation(context: LiveAgentContext, conversation: Conversation, values: Partial<Announced>): boolean {
  const changed: ChangedAttribute[] = [];
  const names = Object.keys(values) as (keyof Announced)[];
  for (const name of names) {
    const former = toWire(name, conversation[name]);
    const current = toWire(name, values[name]);
    if (JSON.stringify(former) === JSON.stringify(current)) continue;
    changed.push({ [wireNames[name]]: { previous_value: former, current_value: current } });
  }
  if (changed.length === 0) return false;

  const formerStatus = conversation.status;
  const formerUpdate = toIso(conversation.updatedAtMs);
  Object.assign(conversation, values);
  conversation.updatedAtMs = context.clock.now();
  changed.push({ updated_at: { previous_value: formerUpdate, current_value: toIso(conversation.updatedAtMs) } });

  if (conversation.status !== formerStatus) announceStatus(context, conversation);
  publishConversation(context, "conversation_updated", conversation, changed);
  announceChange(context, conversation);
  return true;
}

function announceStatus(context: LiveAgentContext, conversation: Conversation): void {
  publishConversation(context, "conversation_status_changed", conversation);
  if (conversation.status === "open") publishConversation(context, "conversation_opened", conversation);
  if (conversation.status === "resolved") publishConversation(context, "conversation_resolved", conversation);
}

function toWire(name: keyof Announced, value: unknown): unknown {
  return typeof value === "number" && name.endsWith("Ms") ? toIso(value) : (value ?? null);
}
