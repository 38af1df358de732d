import type { LiveAgentContext } from "./live-agent-context.ts";
import { statusOnWire } from "./live-agent-push-views.ts";
import type { Conversation, JsonObject, LiveAgentState, Priority, Role } from "./live-agent-state.ts";
import { getContactInbox, getInbox, listOfAccount } from "./live-agent-state.ts";
import { pageOf, toId, toPage, toText } from "./live-agent-values.ts";

const pageSize = 25;
const priorityOrder: readonly (Priority | null)[] = [null, "low", "medium", "high", "urgent"];

export interface ConversationList {
  readonly page: readonly Conversation[];
  readonly meta: JsonObject;
}

/** Who looks: an agent sees what is in their inboxes and teams. */
export interface Viewer {
  readonly id: number | undefined;
  readonly role: Role;
  readonly accountId: number;
}

/** The list and its counts; the counts ignore `assignee_type` and the page. */
export function listConversations(context: LiveAgentContext, viewer: Viewer, query: JsonObject): ConversationList {
  const matching = listOfAccount(context.state.conversations, viewer.accountId).filter(
    (conversation) => canSee(context.state, viewer, conversation) && matches(context, conversation, query),
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

export function canSee(state: LiveAgentState, viewer: Viewer, conversation: Conversation): boolean {
  if (viewer.role !== "agent") return true;
  const id = viewer.id ?? 0;
  const isInTeam = conversation.teamId !== null && (state.teams.get(conversation.teamId)?.memberIds.has(id) ?? false);
  return isInTeam || getInbox(state, conversation.inboxId).memberIds.has(id);
}

function matches(context: LiveAgentContext, conversation: Conversation, query: JsonObject): boolean {
  const { state, profile, clock } = context;
  const status = toText(query["status"]) || "open";
  const isEveryStatus = status === "all" && profile.has("conversationAttributes");
  if (!isEveryStatus && statusOnWire(context, conversation) !== status) return false;
  if (query["inbox_id"] !== undefined && conversation.inboxId !== toId(query["inbox_id"])) return false;
  if (query["team_id"] !== undefined && conversation.teamId !== toId(query["team_id"])) return false;
  const sourceId = profile.has("conversationSourceIdFilter") ? toText(query["source_id"]) : null;
  if (sourceId && getContactInbox(state, conversation.contactInboxId).sourceId !== sourceId) return false;
  const labels = [query["labels[]"] ?? query["labels"] ?? []].flat();
  if (labels.length > 0 && !labels.some((label) => typeof label === "string" && conversation.labels.includes(label))) return false;
  const words = toText(query["q"])?.toLowerCase();
  if (words && !conversation.messages.some((message) => message.content?.toLowerCase().includes(words))) return false;
  const withinSeconds = toId(query["updated_within"]);
  return withinSeconds === undefined || conversation.updatedAtMs >= clock.now() - withinSeconds * 1000;
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
