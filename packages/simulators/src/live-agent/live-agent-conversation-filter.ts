import type { LiveAgentContext } from "./live-agent-context.ts";
import { unprocessable } from "./live-agent-errors.ts";
import type { ConversationList, Viewer } from "./live-agent-listing.ts";
import { canSee } from "./live-agent-listing.ts";
import { statusOnWire } from "./live-agent-push-views.ts";
import type { Conversation } from "./live-agent-state.ts";
import { listOfAccount } from "./live-agent-state.ts";
import { isObject, pageOf, toPage, toText } from "./live-agent-values.ts";

type Read = (conversation: Conversation) => readonly unknown[];

/** `POST conversations/filter`: conditions that are joined from left to right. */
export function filterConversations(context: LiveAgentContext, viewer: Viewer, conditions: unknown, page: unknown): ConversationList {
  if (!Array.isArray(conditions) || conditions.length === 0) throw unprocessable("Invalid query: payload must list conditions");
  const tests = conditions.map((condition) => readCondition(context, condition));
  const found = listOfAccount(context.state.conversations, viewer.accountId).filter((conversation) => {
    if (!canSee(context.state, viewer, conversation)) return false;
    let result = true;
    let operator = "AND";
    for (const test of tests) {
      const holds = test.holds(conversation);
      result = operator === "OR" ? result || holds : result && holds;
      operator = test.nextOperator;
    }
    return result;
  });
  const mine = found.filter((conversation) => conversation.assigneeId === viewer.id);
  const unassigned = found.filter((conversation) => conversation.assigneeId === null);
  const meta = { mine_count: mine.length, unassigned_count: unassigned.length, all_count: found.length };
  return { page: pageOf(found, toPage(page), 25), meta };
}

function readCondition(
  context: LiveAgentContext,
  condition: unknown,
): { holds(conversation: Conversation): boolean; readonly nextOperator: string } {
  const fields = isObject(condition) ? condition : {};
  const key = toText(fields["attribute_key"]) ?? "";
  const read = readerOf(context, key);
  const wanted = [fields["values"]].flat().map((value) => toText(value)?.toLowerCase() ?? "");
  const values = (conversation: Conversation): string[] => read(conversation).flatMap((value) => toText(value)?.toLowerCase() ?? []);
  const nextOperator = toText(fields["query_operator"])?.toUpperCase() ?? "AND";
  const isEqual = (conversation: Conversation): boolean => values(conversation).some((value) => wanted.includes(value));
  switch (fields["filter_operator"]) {
    case "equal_to":
      return { nextOperator, holds: isEqual };
    case "not_equal_to":
      return { nextOperator, holds: (conversation) => !isEqual(conversation) };
    case "is_present":
      return { nextOperator, holds: (conversation) => values(conversation).length > 0 };
    case "is_not_present":
      return { nextOperator, holds: (conversation) => values(conversation).length === 0 };
    default:
      throw unprocessable(`Invalid operator. The allowed operators for ${key} are [equal_to,not_equal_to,is_present,is_not_present].`);
  }
}

function readerOf(context: LiveAgentContext, key: string): Read {
  const readers: Readonly<Record<string, Read>> = {
    status: (conversation) => [statusOnWire(context, conversation), "all"],
    assignee_id: ({ assigneeId }) => [assigneeId],
    team_id: ({ teamId }) => [teamId],
    inbox_id: ({ inboxId }) => [inboxId],
    display_id: ({ displayId }) => [displayId],
    priority: ({ priority }) => [priority],
    labels: ({ labels }) => labels,
  };
  const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
  if (read) return read;
  return ({ customAttributes, additionalAttributes }) => [customAttributes[key] ?? additionalAttributes[key]].flat();
}
