import type { RuntimeClock } from "@handover/runtime";

/** A clock that stands still until it is moved. */
export interface ManualClock extends RuntimeClock {
  /** Moves the time on and runs what is due on the way, in order; waits a turn of the event loop after each. */
  advance(byMs: number): Promise<void>;
}

/** Starts at a fixed time. */
export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(byMs) {
      const untilMs = nowMs + byMs;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const [next] = [...timers].filter((timer) => timer.atMs <= untilMs).sort((left, right) => left.atMs - right.atMs);
        if (!next) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
      }
      nowMs = untilMs;
    },
  };
}
