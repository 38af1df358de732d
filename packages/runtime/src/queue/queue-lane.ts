import { readView } from "../conversation/transact.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { HandoverRecord } from "../store/records.ts";
import { isInQueue, nextPollAtMs } from "./poll-times.ts";
import { repeatAccepted } from "./repeat-accepted.ts";

/** Tells somebody who waits in a queue how things stand there. */
export async function queueStep(scope: LaneScope): Promise<StepResult> {
  const { conversation, handover } = await readView(scope.context, scope.key);
  if (!conversation || !handover || !isInQueue(handover)) return idle;
  if (await repeatAccepted(scope, conversation, handover)) return again;
  return pollQueue(scope, handover);
}

function pollQueue({ context }: LaneScope, handover: HandoverRecord): StepResult {
  const { connections, queuePolls, timing, clock } = context;
  const { connection } = handover.attempt;
  const dueAtMs = nextPollAtMs(handover);
  if (dueAtMs === undefined || !connections.has(connection) || !connections.get(connection).handle.getQueueStatuses) return idle;
  if (dueAtMs > clock.now()) return idleUntil(dueAtMs);
  queuePolls.ask(handover);
  // What comes of it is written into the handover. Only this process knows that it is asked about.
  return idleUntil(clock.now() + timing.catchUpIntervalMs);
}
