import type { RateLimit } from "@handover/core";
import type { RuntimeClock } from "../options.ts";
import type { BudgetGrant, BudgetRequest } from "../store/budget.ts";
import { callPriorities, type CallPriority, type VendorMethod } from "./call-priority.ts";

/** Somebody who waits until a call may be made. */
export interface Waiter {
  readonly key: string;
  readonly priority: CallPriority;
  /** Calls of the budget that it needs. */
  readonly cost: number;
}

/** The calls that this process may make of the account's budget, which all instances share. */
export interface RateBudget {
  costOf(method: VendorMethod, priority: CallPriority): number;
  /** Takes calls that are at hand. False: somebody has to `refill` first. */
  take(waiter: Waiter): boolean;
  /** Takes calls for a call that is made in any case. */
  charge(cost: number): void;
  /** Gives back what was taken and not used. */
  giveBack(cost: number): void;
  /** Takes calls that are there now, without touching those kept for others; nobody waits for them. */
  takeNow(cost: number): Promise<boolean>;
  /** Asks the store for what those who wait need, and a few more. @returns when it is worth to ask again */
  refill(waiting: Iterable<Waiter>): Promise<number>;
}

/** Calls that this instance has asked for and not used are given up after so long: by then others may need them. */
const longestHoldMs = 10_000;

interface Bucket {
  readonly capacity: number;
  readonly refillPerMs: number;
  readonly holdMs: number;
  /** How many calls somebody of a priority leaves to those before him. */
  readonly keeps: Readonly<Record<CallPriority, number>>;
}

/**
 * A quarter of the limit may be used at once; the rest is spread evenly, so that no stretch of `perMs` sees more calls than the
 * vendor allows, also of those that were held for a while.
 */
function toBucket({ calls, perMs }: RateLimit): Bucket {
  const capacity = Math.min(calls, Math.max(2, Math.ceil(calls / 4)));
  const holdMs = Math.min(longestHoldMs, perMs / 10);
  return {
    capacity,
    refillPerMs: (calls - capacity + 1) / (perMs + holdMs),
    holdMs,
    keeps: { message: 0, end: Math.floor(capacity / 10), poll: Math.min(capacity - 1, Math.ceil(capacity / 2)) },
  };
}

/** The budget of an account in this process. */
export function createRateBudget(
  limit: RateLimit,
  parts: { readonly clock: RuntimeClock; takeBudget(request: BudgetRequest): Promise<BudgetGrant> },
): RateBudget {
  const { clock, takeBudget } = parts;
  const bucket = toBucket(limit);
  /** Calls for whoever comes first; below zero when calls were made in any case. */
  let free = 0;
  let freeUntilMs = 0;
  /** Calls for those who wait, by priority. */
  const reserved: Record<CallPriority, number> = { message: 0, end: 0, poll: 0 };
  let usedSinceRefill = 0;

  function dropStale(): void {
    if (free > 0 && clock.now() >= freeUntilMs) free = 0;
  }

  /** What was reserved for those who wait is theirs only as long as somebody of them does. */
  function release(needs: Readonly<Record<CallPriority, number>>): void {
    for (const priority of callPriorities) {
      const surplus = Math.max(0, reserved[priority] - needs[priority]);
      reserved[priority] -= surplus;
      free += surplus;
    }
  }

  function countNeeds(waiting: Iterable<Waiter>): Record<CallPriority, number> {
    const needs = { message: 0, end: 0, poll: 0 };
    for (const { priority, cost } of waiting) needs[priority] += cost;
    return needs;
  }

  return {
    costOf(method, priority) {
      return Math.min(limit.costs?.[method] ?? 1, Math.max(1, bucket.capacity - bucket.keeps[priority]));
    },
    take({ priority, cost }) {
      dropStale();
      const isReserved = reserved[priority] >= cost;
      if (!isReserved && free < cost) return false;
      if (isReserved) reserved[priority] -= cost;
      else free -= cost;
      usedSinceRefill += cost;
      return true;
    },
    charge(cost) {
      free -= cost;
      usedSinceRefill += cost;
    },
    giveBack(cost) {
      dropStale();
      free += cost;
      freeUntilMs = Math.max(freeUntilMs, clock.now() + bucket.holdMs / 2);
    },
    async takeNow(cost) {
      dropStale();
      if (free >= cost) {
        free -= cost;
        return true;
      }
      const { granted } = await takeBudget({ ...bucket, wants: [{ calls: cost, keep: bucket.keeps.poll }] });
      const isEnough = granted[0] === cost;
      if (!isEnough) free += granted[0] ?? 0;
      return isEnough;
    },
    async refill(waiting) {
      const needs = countNeeds(waiting);
      dropStale();
      release(needs);
      // As many as were used lately: a busy account asks once for many calls, a quiet one leaves them to others.
      const spare = Math.min(Math.ceil(bucket.capacity / 10), usedSinceRefill) + Math.max(0, -free);
      const wants = callPriorities.map((priority) => ({
        calls: Math.min(bucket.capacity, needs[priority] - reserved[priority]),
        keep: bucket.keeps[priority],
      }));
      usedSinceRefill = 0;
      const { granted, waitMs } = await takeBudget({ ...bucket, wants: [...wants, { calls: spare, keep: bucket.keeps.poll }] });
      for (const [index, priority] of callPriorities.entries()) reserved[priority] += granted[index] ?? 0;
      free += granted[callPriorities.length] ?? 0;
      freeUntilMs = clock.now() + bucket.holdMs;
      const isServed = wants.every(({ calls }, index) => granted[index] === calls);
      return clock.now() + (isServed ? 0 : waitMs);
    },
  };
}
