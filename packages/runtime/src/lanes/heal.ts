import { readView } from "../conversation/transact.ts";
import { catchUp } from "./catch-up.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/**
 * Compares the running handover with the vendor: at once when it was another process that did so last, then on a slow timer.
 * Where the account says which conversations changed, only when this is one of them.
 */
export async function healStep(scope: LaneScope): Promise<StepResult> {
  const { context } = scope;
  const { conversation, handover } = await readView(context, scope.key);
  if (!conversation || handover?.attempt.phase !== "started" || handover.status === "ending") return idle;
  const { attempt } = handover;
  if (!attempt.catchUp || !context.connections.has(attempt.connection)) return idle;
  const nowMs = context.clock.now();
  const need = context.accountChanges.needOf(attempt, scope.key);
  if (need === "none") return idle;
  if (need === "unknown") return idleUntil(nowMs + context.timing.callTimeoutMs);
  const isOurs = attempt.catchUp.by === context.bootId;
  const mayWait = isOurs || attempt.catchUp.failures > 0;
  if (mayWait && attempt.catchUp.dueAtMs > nowMs) return idleUntil(attempt.catchUp.dueAtMs);
  // What was told meanwhile waits for this comparison: somebody may be waiting to read it.
  const isUrgent = !isOurs && (await context.store.readInbox(scope.key, 1)).length > 0;
  const { gate } = context.connections.get(attempt.connection);
  if (!gate.mayCall(scope.key, "catchUp", isUrgent ? "end" : "poll")) return idleUntil(nowMs + context.timing.catchUpIntervalMs);
  await catchUp(scope, conversation, handover, isUrgent ? "end" : "poll");
  return again;
}
