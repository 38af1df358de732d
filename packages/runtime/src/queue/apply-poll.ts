import type { QueueInfo, QueueStatus } from "@handover/core";
import { changeAttempt, type Draft } from "../handover/draft.ts";
import type { Timing } from "../options.ts";
import type { Texts } from "../texts.ts";
import { pollTimesAfter } from "./poll-times.ts";
import { knownQueue } from "./queue-rules.ts";
import { showQueue } from "./show-queue.ts";

/** What an answer about a handover's queue changes: the numbers that were asked for, and when they are asked for next. */
export function applyPoll(
  draft: Draft,
  status: QueueStatus | undefined,
  surroundings: { readonly texts: Texts; readonly timing: Timing; readonly pauseMs: number },
): void {
  const { handover, nowMs } = draft;
  const validForMs = Number.isFinite(status?.validForMs) ? Math.max(0, status?.validForMs ?? 0) : 0;
  const notBeforeMs = nowMs + Math.max(validForMs, surroundings.pauseMs);
  changeAttempt(draft, { queuePoll: pollTimesAfter(handover, { nowMs, notBeforeMs, timing: surroundings.timing }) });
  if (status) showQueue(draft, mergeAnswer(draft, handover.queue ?? {}, status, handover.attempt.queuePoll ?? {}), surroundings.texts);
}

/** A number that was not due, or is not wanted, stays as it was. */
function mergeAnswer(
  { handover, nowMs }: Draft,
  before: QueueInfo,
  status: QueueStatus,
  due: { readonly positionDueAtMs?: number; readonly waitDueAtMs?: number },
): QueueInfo {
  const { getQueuePosition, getEstimatedWaitTime } = handover.queueOptions ?? {};
  const isPositionDue = getQueuePosition === true && (due.positionDueAtMs ?? 0) <= nowMs;
  const isWaitDue = getEstimatedWaitTime === true && (due.waitDueAtMs ?? 0) <= nowMs;
  const { position, estimatedWaitMs, name, text } = knownQueue(status);
  return knownQueue({
    ...withValue("position", isPositionDue ? position : before.position),
    ...withValue("estimatedWaitMs", isWaitDue ? estimatedWaitMs : before.estimatedWaitMs),
    ...withValue("name", name ?? before.name),
    ...withValue("text", text),
  });
}

function withValue<Key extends keyof QueueInfo>(key: Key, value: QueueInfo[Key]): QueueInfo {
  return value === undefined ? {} : { [key]: value };
}
