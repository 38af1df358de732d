import { changeAttempt, note } from "../handover/draft.ts";
import { markClosed } from "../handover/ending.ts";
import { readView } from "../conversation/transact.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { changeHandover } from "./change-handover.ts";
import { tryEnd } from "./end-task.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";
import { sendTask } from "./send-task.ts";
import { startTask } from "./start-task.ts";

/** From the log to the desk: start, then every message in order, then the end. */
export async function vendorOutStep(scope: LaneScope): Promise<StepResult> {
  const { conversation, handover } = await readView(scope.context, scope.key);
  if (!conversation || !handover) return idle;
  const { phase } = handover.attempt;
  if (phase === "starting" || phase === "in-doubt") return startTask(scope, conversation, handover);
  if (phase !== "started") return idle;
  const connection = scope.context.connections.get(handover.attempt.connection);
  const sent = await sendTask({ ...scope, conversation, handover, connection });
  if (sent.again || sent.wakeAtMs !== undefined) return sent;
  return handover.ending?.closedBy === "us" ? endTask(scope, conversation, handover) : idle;
}

async function endTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { context } = scope;
  const { attempt } = handover;
  const connection = context.connections.get(attempt.connection);
  if (attempt.end?.isDone) return idle;
  if (attempt.end && attempt.end.nextTryAtMs > context.clock.now()) return idleUntil(attempt.end.nextTryAtMs);
  if (!connection.gate.mayCall(scope.key)) return idle;
  const outcome = await tryEnd(scope, { conversation, handover, attempt, connection });
  await changeHandover(scope, handover.id, (draft) => {
    if (draft.handover.attempt.end?.isDone) return undefined;
    if (outcome.kind === "later") changeAttempt(draft, { end: outcome.end });
    else markClosed(draft, context.timing.reorderWindowMs);
    if (outcome.kind === "given-up") note(draft, "end-given-up", { code: outcome.code });
    return {};
  });
  return again;
}
