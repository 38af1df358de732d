import type { Timing } from "../options.ts";
import type { HandoverRecord } from "../store/records.ts";
import { defaultUpdateIntervalSeconds, type QueueOptions } from "./queue-options.ts";

/** When each number of a queue is to be asked for; a number that nobody wants has no time. */
export interface PollTimes {
  readonly positionDueAtMs?: number;
  readonly waitDueAtMs?: number;
}

/** True while a handover waits in the queue of a desk that has taken it. */
export function isInQueue({ status, attempt }: HandoverRecord): boolean {
  return status === "queued" && attempt.phase === "started";
}

/** When the vendor is to be asked about the queue of a handover next. Absent: never. */
export function nextPollAtMs(handover: HandoverRecord): number | undefined {
  const { getQueuePosition, getEstimatedWaitTime } = handover.queueOptions ?? {};
  const { positionDueAtMs = 0, waitDueAtMs = 0 } = handover.attempt.queuePoll ?? {};
  const times = [...(getQueuePosition ? [positionDueAtMs] : []), ...(getEstimatedWaitTime ? [waitDueAtMs] : [])];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** So many moments of an interval there are at which somebody may become due: whoever waits for the same one is served by one call. */
const momentsPerInterval = 5;

/**
 * When the vendor is asked again, after it was asked now: an interval later, or a little more.
 *
 * @param notBeforeMs until then the answer is still good, or the vendor cannot be asked
 */
export function pollTimesAfter(
  handover: HandoverRecord,
  at: { readonly nowMs: number; readonly notBeforeMs: number; readonly timing: Timing },
): PollTimes {
  const options: QueueOptions = handover.queueOptions ?? {};
  const before = handover.attempt.queuePoll ?? {};
  const next = (dueAtMs: number | undefined, seconds = defaultUpdateIntervalSeconds): number => {
    if (dueAtMs !== undefined && dueAtMs > at.nowMs) return dueAtMs;
    const intervalMs = Math.max(at.timing.queueUpdateMinimumMs, seconds * 1000);
    const momentMs = intervalMs / momentsPerInterval;
    return Math.ceil(Math.max(at.nowMs + intervalMs, at.notBeforeMs) / momentMs) * momentMs;
  };
  const { updateIntervalQueuePositionSeconds, updateIntervalEstimatedWaitTimeSeconds } = options;
  return {
    ...(options.getQueuePosition ? { positionDueAtMs: next(before.positionDueAtMs, updateIntervalQueuePositionSeconds) } : {}),
    ...(options.getEstimatedWaitTime ? { waitDueAtMs: next(before.waitDueAtMs, updateIntervalEstimatedWaitTimeSeconds) } : {}),
  };
}
