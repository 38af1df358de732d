import { readView } from "../conversation/transact.ts";
import { catchUp } from "./catch-up.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/**
 * Compares the running handover with the vendor: at once when it was another process that did so last, then on a slow timer.
 */
export async function healStep(scope: LaneScope): Promise<StepResult> {
  const { context } = scope;
  const { conversation, handover } = await readView(context, scope.key);
  if (!conversation || handover?.attempt.phase !== "started" || handover.status === "ending") return idle;
  const { attempt } = handover;
  if (!attempt.catchUp || !context.connections.has(attempt.connection)) return idle;
  const isOurs = attempt.catchUp.by === context.bootId;
  const mayWait = isOurs || attempt.catchUp.failures > 0;
  if (mayWait && attempt.catchUp.dueAtMs > context.clock.now()) return idleUntil(attempt.catchUp.dueAtMs);
  if (!context.connections.get(attempt.connection).gate.mayCall(scope.key)) return idle;
  await catchUp(scope, conversation, handover);
  return again;
}
