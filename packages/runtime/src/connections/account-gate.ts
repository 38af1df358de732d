import type { Random } from "@handover/core";
import type { Limits, RuntimeClock, Timing } from "../options.ts";
import { pauseAfter } from "../support/backoff.ts";
import { priorityOf, type CallPriority, type VendorMethod } from "./call-priority.ts";
import { createCallWindow } from "./call-window.ts";
import { createCallQueue } from "./call-queue.ts";
import type { RateBudget, Waiter } from "./rate-budget.ts";

/**
 * Lets the calls of an account through, those first that users wait for. While the vendor cannot be reached or refuses us it holds
 * all of them up: after a pause one call at a time tries again, and with each that succeeds one more may go. So many calls
 * at once, and so many in the time that the vendor's limit is for.
 */
export interface AccountGate {
  /**
   * Whether a conversation may make a call now; if so, it makes it at once. If not, it is nudged when it may be worth another
   * look.
   */
  mayCall(key: string, method: VendorMethod, priority?: CallPriority): boolean;
  /** Whether a call may be made now that is dropped when it may not. */
  mayCallNow(method: VendorMethod): Promise<boolean>;
  /** Resolves when a call that belongs to no conversation may be made; it is made at once. */
  untilCallable(method: VendorMethod, priority?: CallPriority): Promise<void>;
  /** A call is made. */
  begin(method: VendorMethod, priority?: CallPriority): RunningCall;
  /** Another instance was asked to wait. */
  pauseFor(pauseMs: number): void;
  readonly isPaused: boolean;
  /** Since when nothing has succeeded; absent while calls are let through. */
  readonly pausedSinceMs: number | undefined;
  /** Conversations that wait for a call of the lowest priority. */
  readonly waitingPolls: number;
  /** Nobody is nudged any more. */
  close(): void;
}

/** How a call came out, said once. */
export interface RunningCall {
  /** The vendor answered: whatever it said, it can be reached. */
  succeeded(): void;
  /** It says that nothing of this account can be done now. */
  failed(error: unknown): void;
  /** It was given up by us, which says nothing about the vendor. */
  abandoned(): void;
}

interface GateParts {
  readonly clock: RuntimeClock;
  readonly random: Random;
  readonly timing: Timing;
  readonly limits: Limits;
  /** Absent: calls are not counted. */
  readonly budget?: RateBudget | undefined;
  nudge(key: string): void;
  /** Tells other instances that the vendor asks everybody to wait. */
  share?(pauseMs: number): void;
}

/** A gate for one account in this process. */
export function createAccountGate(parts: GateParts): AccountGate {
  const { clock, random, timing, budget } = parts;
  /** Those who wait for a call that belongs to no conversation. */
  const others = new Map<string, () => void>();
  const window = createCallWindow(clock, parts.limits);
  const queue = createCallQueue({ clock, timing, budget, window, nudge, blockedUntilMs });
  let failures = 0;
  let otherCount = 0;
  let pausedSinceMs: number | undefined;
  let pausedUntilMs: number | undefined;
  /** One conversation was let through to try; when it does not call after all, another one may from then on. */
  let probeUntilMs: number | undefined;

  function nudge(key: string): void {
    const wake = others.get(key);
    if (!wake) return parts.nudge(key);
    others.delete(key);
    wake();
  }

  /** Until when nobody may call, not even to try; absent when there is no pause. */
  function blockedUntilMs(): number | undefined {
    return pausedUntilMs === undefined ? undefined : Math.max(pausedUntilMs, probeUntilMs ?? 0);
  }

  function pauseUntil(untilMs: number): void {
    pausedSinceMs ??= clock.now();
    pausedUntilMs = untilMs;
    probeUntilMs = undefined;
    window.close();
    queue.offerAt(untilMs);
  }

  function mayProbe(waiter: Waiter): boolean {
    const nowMs = clock.now();
    if (nowMs < (blockedUntilMs() ?? 0) || !queue.pay(waiter)) return false;
    probeUntilMs = nowMs + timing.callTimeoutMs;
    queue.offerAt(probeUntilMs);
    return true;
  }

  function mayGoNow(waiter: Waiter): boolean {
    if (queue.takeTurn(waiter)) return true;
    return queue.isNext(waiter) && window.hasRoom(waiter.priority, queue.offered()) && queue.pay(waiter);
  }

  function mayCall(key: string, method: VendorMethod, priority = priorityOf(method)): boolean {
    const waiter = { key, priority, cost: budget?.costOf(method, priority) ?? 0 };
    const mayGo = pausedUntilMs !== undefined ? mayProbe(waiter) : mayGoNow(waiter);
    if (mayGo) window.admit(priority);
    else queue.wait(waiter);
    return mayGo;
  }

  function failed(error: unknown, isCurrent: boolean): void {
    const nowMs = clock.now();
    // It was on its way before, or one of many that failed together: that is known already.
    const isKnown = !isCurrent || (pausedUntilMs !== undefined && probeUntilMs === undefined && nowMs < pausedUntilMs);
    if (!isKnown) failures += 1;
    const askedMs = (error as { retryAfterMs?: number }).retryAfterMs;
    const pauseMs = Math.min(pauseAfter(failures, timing, random, error), timing.connectionRetryMs);
    const isLonger = askedMs !== undefined && nowMs + pauseMs > (pausedUntilMs ?? 0);
    if (!isKnown || isLonger) pauseUntil(nowMs + pauseMs);
    if (askedMs !== undefined && (!isKnown || isLonger)) parts.share?.(pauseMs);
  }

  function succeeded(isCurrent: boolean): void {
    // It was on its way before the vendor asked us to wait.
    if (pausedUntilMs !== undefined && !isCurrent) return;
    failures = 0;
    pausedSinceMs = undefined;
    pausedUntilMs = undefined;
    probeUntilMs = undefined;
    window.widen();
  }

  return {
    get isPaused() {
      return pausedUntilMs !== undefined;
    },
    get pausedSinceMs() {
      return pausedSinceMs;
    },
    get waitingPolls() {
      return queue.count("poll");
    },
    mayCall,
    async untilCallable(method, priority) {
      // No conversation has a key like that.
      const key = `#${(otherCount += 1)}`;
      while (!mayCall(key, method, priority)) await new Promise<void>((resolve) => others.set(key, resolve));
    },
    async mayCallNow(method) {
      if (pausedUntilMs !== undefined || !queue.isEmpty || !window.hasRoom("poll", queue.offered())) return false;
      return budget ? budget.takeNow(budget.costOf(method, "poll")) : true;
    },
    begin(method, priority = priorityOf(method)) {
      const call = window.begin(priority);
      if (!call.wasAdmitted) budget?.charge(budget.costOf(method, priority));
      const finish = (report: (isCurrent: boolean) => void): void => {
        report(call.isCurrent());
        call.end();
        queue.offer();
      };
      return {
        succeeded: () => finish(succeeded),
        failed: (error) => finish((isCurrent) => failed(error, isCurrent)),
        abandoned: () => finish(() => undefined),
      };
    },
    pauseFor(pauseMs) {
      const untilMs = clock.now() + Math.min(pauseMs, timing.connectionRetryMs);
      if (untilMs <= (pausedUntilMs ?? 0)) return;
      failures = Math.max(1, failures);
      pauseUntil(untilMs);
    },
    close: () => queue.close(),
  };
}
