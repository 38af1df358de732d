import { changeAttempt, note } from "../handover/draft.ts";
import { endpointOf } from "../endpoints.ts";
import { giveWay } from "../handover/give-way.ts";
import { markClosed } from "../handover/ending.ts";
import { readView } from "../conversation/transact.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { changeHandover } from "./change-handover.ts";
import { tryEnd } from "./end-task.ts";
import { again, idle, idleUntil, type LaneScope, type LaneStep, type StepResult } from "./lane.ts";
import { sendTask, type Scanned } from "./send-task.ts";
import { startTask } from "./start-task.ts";

/** From the log to the desk: start, then every message in order, then the end. */
export function createVendorOutStep(): LaneStep {
  const scanned: Scanned = { attempt: "", through: 0 };
  return (scope) => vendorOutStep(scope, scanned);
}

async function vendorOutStep(scope: LaneScope, scanned: Scanned): Promise<StepResult> {
  const { conversation, handover } = await readView(scope.context, scope.key);
  if (!conversation || !handover) return idle;
  if (!scope.context.connections.has(handover.attempt.connection)) return connectionRemoved(scope, conversation, handover);
  const { phase } = handover.attempt;
  if (phase === "starting" || phase === "in-doubt") return startTask(scope, conversation, handover);
  if (phase !== "started") return idle;
  const connection = scope.context.connections.get(handover.attempt.connection);
  const sent = await sendTask({ ...scope, conversation, handover, connection }, scanned);
  if (sent.again || sent.wakeAtMs !== undefined) return sent;
  return handover.ending?.closedBy === "us" ? endTask(scope, conversation, handover) : idle;
}

async function endTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { context } = scope;
  const { attempt } = handover;
  const connection = context.connections.get(attempt.connection);
  if (attempt.end?.isDone) return idle;
  if (handover.ending?.leavesDeskOpen) return leaveOpen(scope, handover.id);
  if (attempt.end && attempt.end.nextTryAtMs > context.clock.now()) return idleUntil(attempt.end.nextTryAtMs);
  // Whoever leaves meanwhile is let go by the task that shows the end.
  if (connection.handle.end && !connection.gate.mayCall(scope.key, "end")) return idle;
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

/** The desk has got everything, and is not told of the end. */
async function leaveOpen(scope: LaneScope, handoverId: string): Promise<StepResult> {
  await changeHandover(scope, handoverId, (draft) => {
    if (draft.handover.attempt.end?.isDone) return undefined;
    note(draft, "desk-left-open");
    markClosed(draft);
    return {};
  });
  return again;
}

/** Somebody took the connection out of the configuration: nobody there can be reached any more. */
async function connectionRemoved(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  if (handover.attempt.phase === "over") return idle;
  const { context } = scope;
  const { connection } = handover.attempt;
  context.logger.error(`A handover runs at the connection "${connection}", which is no longer configured: it is given up.`, {
    handover: handover.id,
    connection,
    code: "CONNECTION_NOT_FOUND",
  });
  await changeHandover(scope, handover.id, (draft) => {
    changeAttempt(draft, { phase: "over" });
    const endpoint = endpointOf(context.endpoints, conversation.endpoint);
    giveWay(context, draft, endpoint, { reason: "failed", actor: "system", code: "CONNECTION_NOT_FOUND" });
    return {};
  });
  return again;
}
