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
  /** One conversation was let through to try; when it does not call after all, another one may from then on. */
  let probeUntilMs: number | undefined;
  let cancelTimer: (() => void) | undefined;

  function offerAfter(delayMs: number): void {
    cancelTimer?.();
    cancelTimer = clock.after(delayMs, offer);
  }

  /** Offers the try to those who wait, one after the other: whoever was first may have nothing to call any more. */
  function offer(): void {
    const [key] = waiting;
    if (key === undefined) return;
    waiting.delete(key);
    offerAfter(timing.retryFirstMs);
    nudge(key);
  }

  return {
    get isPaused() {
      return pausedUntilMs !== undefined;
    },
    mayCall(key) {
      const nowMs = clock.now();
      if (pausedUntilMs === undefined) return true;
      if (nowMs < pausedUntilMs || (probeUntilMs !== undefined && nowMs < probeUntilMs)) {
        waiting.add(key);
        return false;
      }
      probeUntilMs = nowMs + timing.callTimeoutMs;
      offerAfter(timing.callTimeoutMs);
      return true;
    },
    succeeded() {
      failures = 0;
      pausedUntilMs = undefined;
      probeUntilMs = undefined;
      cancelTimer?.();
      const keys = [...waiting];
      waiting.clear();
      for (const key of keys) nudge(key);
    },
    failed(error) {
      const nowMs = clock.now();
      const wasUnderWay = pausedUntilMs !== undefined && probeUntilMs === undefined && nowMs < pausedUntilMs;
      if (wasUnderWay) return;
      failures += 1;
      probeUntilMs = undefined;
      const pauseMs = Math.min(pauseAfter(failures, timing, random, error), timing.connectionRetryMs);
      pausedUntilMs = nowMs + pauseMs;
      offerAfter(pauseMs);
    },
  };
}
