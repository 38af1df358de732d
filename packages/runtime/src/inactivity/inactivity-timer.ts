import type { Logger } from "@handover/core";
import type { BotAnswer } from "../bot.ts";
import type { Draft } from "../handover/draft.ts";

/** The longest time of a bot's timer: 7 days. */
export const maximumInactivityMinutes = 10_080;

const minuteMs = 60_000;

/** Why a bot's timer cannot be set; nothing where it can. */
export function whyNoTimer(minutes: number): string | undefined {
  if (minutes > 0 && minutes <= maximumInactivityMinutes) return undefined;
  return `inactivityTimer.minutes is ${minutes}; it must be more than 0 and at most ${maximumInactivityMinutes} (7 days). The unit is minutes: 60000 milliseconds are 1.`;
}

/** The time of a bot's timer in milliseconds. One that makes no sense is left out, and said in the log. */
export function timerOf(answer: BotAnswer, endpoint: string, logger: Logger): number | undefined {
  if (!answer.inactivityTimer) return undefined;
  const { minutes } = answer.inactivityTimer;
  const why = whyNoTimer(minutes);
  if (why === undefined) return minutes * minuteMs;
  logger.error(`A bot's timer was not set. ${why}`, { endpoint, code: "INVALID_TIMER" });
  return undefined;
}

/** Sets the timer. While the desk has not accepted, it does not run yet. */
export function setInactivity(draft: Draft, afterMs: number): void {
  const { handover, nowMs } = draft;
  const { count = 0, through = handover.requestedSeq } = handover.inactivity ?? {};
  const isRunning = handover.status === "queued" || handover.status === "active";
  draft.handover = { ...handover, inactivity: { afterMs, count, through, ...(isRunning ? { dueAtMs: nowMs + afterMs } : {}) } };
}

/** The desk has accepted: a timer that was set with the request runs from now on. */
export function startInactivity(draft: Draft): void {
  const { inactivity } = draft.handover;
  if (inactivity) draft.handover = { ...draft.handover, inactivity: { ...inactivity, dueAtMs: draft.nowMs + inactivity.afterMs } };
}
