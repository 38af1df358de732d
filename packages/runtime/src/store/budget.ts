import type { Clock } from "@handover/core";

/** A bucket of calls: `capacity` at first and at most, refilled evenly. What several instances say of the same one is the same. */
export interface BudgetRequest {
  readonly capacity: number;
  readonly refillPerMs: number;
  /** Served in this order: as many whole calls as there are, as long as `keep` stay in the bucket. */
  readonly wants: readonly { readonly calls: number; readonly keep: number }[];
}

/** What a bucket gave. */
export interface BudgetGrant {
  /** A number of calls for each of `wants`. */
  readonly granted: readonly number[];
  /** When the first of `wants` that did not get everything can have one more call; 0 when all did. */
  readonly waitMs: number;
}

/** How much is waiting, for limits: roughly, and at one moment. */
export interface WaitingCounts {
  /** User messages that a desk or a bot has not dealt with, in conversations that are due or held. */
  readonly messages: number;
  /** Deliveries in inboxes that have not been translated. */
  readonly deliveries: number;
  /** Deliveries for which no handover is known, by account. Empty when one conversation was asked about. */
  readonly parked: Readonly<Record<string, number>>;
}

/** Buckets in memory, for stores that one process uses alone. For authors of stores. */
export function createLocalBudgets(clock: Clock): (name: string, request: BudgetRequest) => BudgetGrant {
  const buckets = new Map<string, { readonly calls: number; readonly atMs: number }>();
  return (name, { capacity, refillPerMs, wants }) => {
    const nowMs = clock.now();
    const before = buckets.get(name) ?? { calls: capacity, atMs: nowMs };
    let calls = Math.min(capacity, before.calls + Math.max(0, nowMs - before.atMs) * refillPerMs);
    let waitMs = 0;
    const granted = wants.map(({ calls: wanted, keep }) => {
      const given = Math.min(wanted, Math.max(0, Math.floor(calls - keep)));
      calls -= given;
      if (given < wanted && waitMs === 0) waitMs = Math.max(1, Math.ceil((keep + 1 - calls) / refillPerMs));
      return given;
    });
    buckets.set(name, { calls, atMs: nowMs });
    return { granted, waitMs };
  };
}
