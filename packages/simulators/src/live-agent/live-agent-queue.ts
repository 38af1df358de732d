import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Conversation, JsonObject, LiveAgentState } from "./live-agent-state.ts";

/** 1-based place among the open conversations of the inbox that nobody has answered, oldest first. */
export function findQueuePosition(state: LiveAgentState, conversation: Conversation): number | undefined {
  const waiting = [...state.conversations.values()]
    .filter((other) => other.inboxId === conversation.inboxId && other.status === "open" && !other.isAttended)
    .sort((left, right) => left.createdAtMs - right.createdAtMs || left.displayId - right.displayId);
  const index = waiting.indexOf(conversation);
  return index < 0 ? undefined : index + 1;
}

/** The answer of the endpoint, where there is one and the conversation waits. Path and shape are not documented (inferred). */
export function readQueueDetails(context: LiveAgentContext, conversation: Conversation): JsonObject | undefined {
  const { queueDetails } = context.behaviour;
  if (queueDetails !== "endpoint" && queueDetails !== "nested-endpoint") return undefined;
  const details = detailsOf(context, conversation);
  return details && queueDetails === "nested-endpoint" ? { queue_details: details } : details;
}

/** What a conversation itself tells about its place. */
export function viewQueue(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { queueDetails } = context.behaviour;
  if (!queueDetails.startsWith("conversation")) return {};
  const details = detailsOf(context, conversation);
  if (!details) return {};
  if (queueDetails === "conversation") return { queue_details: details };
  return queueDetails === "conversation-position" ? { position: details.position } : { queue_position: details.position };
}

/** A position from 1, and milliseconds. */
function detailsOf(
  { state, queue }: LiveAgentContext,
  conversation: Conversation,
): { position: number; estimated_wait_time: number | null } | undefined {
  const position = findQueuePosition(state, conversation);
  if (position === undefined) return undefined;
  return { position: queue.position ?? position, estimated_wait_time: queue.estimatedWaitMs ?? null };
}
