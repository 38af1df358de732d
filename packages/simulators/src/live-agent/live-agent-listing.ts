import type { Conversation, JsonObject, LiveAgentState, Priority, User } from "./live-agent-state.ts";
import { getContactInbox, getInbox } from "./live-agent-state.ts";
import { pageOf, toId, toPage, toText } from "./live-agent-values.ts";

const pageSize = 25;
const priorityOrder: readonly (Priority | null)[] = [null, "low", "medium", "high", "urgent"];

export interface ConversationList {
  readonly page: readonly Conversation[];
  readonly meta: JsonObject;
}

/** The list and its counts; the counts ignore `assignee_type` and the page. */
export function listConversations(state: LiveAgentState, viewer: User, query: JsonObject, nowMs: number): ConversationList {
  const matching = [...state.conversations.values()].filter(
    (conversation) => canSee(state, viewer, conversation) && matches(state, conversation, query, nowMs),
  );
  const assigned = matching.filter((conversation) => conversation.assigneeId !== null);
  const mine = matching.filter((conversation) => conversation.assigneeId === viewer.id);
  const unassigned = matching.filter((conversation) => conversation.assigneeId === null);
  const selected = { me: mine, assigned, unassigned }[toText(query["assignee_type"]) ?? ""] ?? matching;
  const sorted = [...selected].sort(comparisonOf(toText(query["sort_by"])));
  const meta = {
    mine_count: mine.length,
    assigned_count: assigned.length,
    unassigned_count: unassigned.length,
    all_count: matching.length,
  };
  if (query["updated_within"] !== undefined) return { page: sorted, meta };
  return { page: pageOf(sorted, toPage(query["page"]), pageSize), meta };
}

export function canSee(state: LiveAgentState, viewer: User, conversation: Conversation): boolean {
  return viewer.role === "administrator" || getInbox(state, conversation.inboxId).memberIds.has(viewer.id);
}

/** 1-based place among the open conversations of the inbox that nobody has answered, oldest first. */
export function findQueuePosition(state: LiveAgentState, conversation: Conversation): number | undefined {
  const waiting = [...state.conversations.values()]
    .filter((other) => other.inboxId === conversation.inboxId && other.status === "open" && !other.isAttended)
    .sort((left, right) => left.createdAtMs - right.createdAtMs || left.displayId - right.displayId);
  const index = waiting.indexOf(conversation);
  return index < 0 ? undefined : index + 1;
}

function matches(state: LiveAgentState, conversation: Conversation, query: JsonObject, nowMs: number): boolean {
  const status = toText(query["status"]) || "open";
  if (status !== "all" && conversation.status !== status) return false;
  if (query["inbox_id"] !== undefined && conversation.inboxId !== toId(query["inbox_id"])) return false;
  // There are no teams, so no conversation belongs to one.
  if (query["team_id"] !== undefined) return false;
  const sourceId = toText(query["source_id"]);
  if (sourceId && getContactInbox(state, conversation.contactInboxId).sourceId !== sourceId) return false;
  const labels = [query["labels[]"] ?? query["labels"] ?? []].flat();
  if (labels.length > 0 && !labels.some((label) => typeof label === "string" && conversation.labels.includes(label))) return false;
  const words = toText(query["q"])?.toLowerCase();
  if (words && !conversation.messages.some((message) => message.content?.toLowerCase().includes(words))) return false;
  const withinSeconds = toId(query["updated_within"]);
  return withinSeconds === undefined || conversation.updatedAtMs >= nowMs - withinSeconds * 1000;
}

type Compare = (left: Conversation, right: Conversation) => number;

function comparisonOf(sortBy: string | null): Compare {
  const byWaiting = (conversation: Conversation): number => conversation.waitingSinceMs ?? Infinity;
  const byPriority = (conversation: Conversation): number => priorityOrder.indexOf(conversation.priority);
  switch (sortBy) {
    case "last_activity_at_asc":
      return (left, right) => left.lastActivityAtMs - right.lastActivityAtMs || left.displayId - right.displayId;
    case "created_at_asc":
      return (left, right) => left.createdAtMs - right.createdAtMs || left.displayId - right.displayId;
    case "created_at_desc":
      return (left, right) => right.createdAtMs - left.createdAtMs || right.displayId - left.displayId;
    case "priority_desc":
      return (left, right) => byPriority(right) - byPriority(left) || right.lastActivityAtMs - left.lastActivityAtMs;
    case "priority_asc":
      return (left, right) => byPriority(left) - byPriority(right) || right.lastActivityAtMs - left.lastActivityAtMs;
    case "waiting_since_asc":
      return (left, right) => compareNumbers(byWaiting(left), byWaiting(right)) || left.displayId - right.displayId;
    case "waiting_since_desc":
      return (left, right) => compareNumbers(byWaiting(right), byWaiting(left)) || right.displayId - left.displayId;
    default:
      return (left, right) => right.lastActivityAtMs - left.lastActivityAtMs || right.displayId - left.displayId;
  }
}

// Infinity minus Infinity is not a number.
function compareNumbers(left: number, right: number): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
