import type { Random } from "@handover/core";
import type { RuntimeClock, Timing } from "../options.ts";
import { pauseAfter } from "../support/backoff.ts";

/**
 * Holds up all calls of an account while its vendor cannot be reached or refuses us: after a pause one call at a time tries
 * again, and the first that succeeds lets everybody go on.
 */
export interface AccountGate {
  /** Whether a conversation may call now. If not, it is nudged when it may be worth another look. */
  mayCall(key: string): boolean;
  succeeded(): void;
  failed(error: unknown): void;
  readonly isPaused: boolean;
}

/** A gate for one account in this process. */
export function createAccountGate(parts: {
  readonly clock: RuntimeClock;
  readonly random: Random;
  readonly timing: Timing;
  nudge(key: string): void;
}): AccountGate {
  const { clock, random, timing, nudge } = parts;
  const waiting = new Set<string>();
  let failures = 0;
  let pausedUntilMs: number | undefined;
  let isProbing = false;
  let cancelTimer: (() => void) | undefined;

  function nudgeWaiting(limit: number): void {
    for (const key of [...waiting].slice(0, limit)) {
      waiting.delete(key);
      nudge(key);
    }
  }

  return {
    get isPaused() {
      return pausedUntilMs !== undefined;
    },
    mayCall(key) {
      if (pausedUntilMs === undefined) return true;
      if (clock.now() >= pausedUntilMs && !isProbing) {
        isProbing = true;
        return true;
      }
      waiting.add(key);
      return false;
    },
    succeeded() {
      isProbing = false;
      failures = 0;
      pausedUntilMs = undefined;
      cancelTimer?.();
      nudgeWaiting(waiting.size);
    },
    failed(error) {
      isProbing = false;
      failures += 1;
      const pauseMs = pauseAfter(failures, timing, random, error);
      pausedUntilMs = clock.now() + pauseMs;
      cancelTimer?.();
      cancelTimer = clock.after(pauseMs, () => nudgeWaiting(1));
    },
  };
}
