import type { Commit, CommitResult, ConversationRecord, HandoverRecord } from "../store/records.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Metrics } from "../support/metrics.ts";

/** What a change of a conversation is worked out from. */
export interface ConversationView {
  /** Absent when the conversation does not exist yet. */
  readonly conversation?: ConversationRecord;
  /** The handover that has not ended. */
  readonly handover?: HandoverRecord;
}

/** A change, or nothing when there is nothing to change. */
export type Decision<Result> = { readonly commit?: Omit<Commit, "conversation" | "expectVersion">; readonly result: Result };

/** A worker lost its conversation to another instance; it stops without a trace. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** What a change came to. */
export interface Transacted<Result> {
  readonly result: Result;
  readonly committed?: Extract<CommitResult, { status: "committed" }>;
}

/**
 * Reads a conversation, works out a change, and commits it if nothing else came first; otherwise works it out again.
 * Changes of one conversation are made one after the other within this process, so that conflicts come from others only.
 *
 * @throws LeaseLostError when `fence` is no longer valid
 */
export function transact<Result>(
  context: RuntimeContext,
  request: { readonly key: string; readonly fence?: number },
  decide: (view: ConversationView) => Promise<Decision<Result>> | Decision<Result>,
): Promise<Transacted<Result>> {
  return context.mutex.run(request.key, async () => {
    for (;;) {
      const view = await readView(context, request.key);
      const { commit, result } = await decide(view);
      if (!commit) return { result };
      const outcome = await context.store.commit({
        ...commit,
        conversation: request.key,
        expectVersion: view.conversation?.version ?? 0,
        ...(request.fence === undefined ? {} : { fence: request.fence }),
      });
      if (outcome.status === "committed") {
        countCommitted(context.metrics, commit);
        return { result, committed: outcome };
      }
      if (outcome.status === "fenced") throw new LeaseLostError();
      context.metrics.count("handover_conflicts_total");
    }
  });
}

/** Counts once, after the commit: what was worked out twice has happened once. */
function countCommitted(metrics: Metrics, commit: Pick<Commit, "append" | "journal">): void {
  for (const entry of commit.append ?? []) {
    if (entry.status === "requested") metrics.count("handover_requested_total");
    if (entry.status === "ended") metrics.count("handover_ended_total", { reason: entry.reason ?? "" });
    if (entry.event === "message-failed") metrics.count("handover_messages_failed_total");
    if (entry.kind === "message" && entry.author?.role === "agent") metrics.count("handover_agent_messages_total");
  }
  for (const { what, connection = "" } of commit.journal ?? []) {
    if (what === "started") metrics.count("handover_started_total", { connection });
    else metrics.count("handover_journal_total", { what, connection });
  }
}

/** The conversation and its running handover as they are now. */
export async function readView(context: RuntimeContext, key: string): Promise<ConversationView> {
  const conversation = await context.store.readConversation(key);
  if (!conversation) return {};
  const handover = conversation.currentHandover ? await context.store.readHandover(conversation.currentHandover) : undefined;
  return { conversation, ...(handover ? { handover } : {}) };
}
