import type { Lease } from "../conversation/lease.ts";
import type { RuntimeContext } from "../runtime-context.ts";

/** What a lane works with: one conversation under one lease. */
export interface LaneScope {
  readonly context: RuntimeContext;
  readonly key: string;
  readonly fence: number;
  readonly lease: Lease;
  /** A step of many calls says that it has come further, and does not hang. */
  progressed(): void;
}

/** What a step of a lane came to: there may be more to do now, or at some time, or when something happens. */
export type StepResult = { readonly again: true } | { readonly again: false; readonly wakeAtMs?: number };

/** One step of a lane: reads what is stored, does one thing, and stores what came of it. */
export type LaneStep = (scope: LaneScope) => Promise<StepResult>;

/** There may be more to do at once. */
export const again: StepResult = { again: true };

/** Nothing to do until something happens. */
export const idle: StepResult = { again: false };

/** Nothing to do until the earliest of the given times, or until something happens. */
export function idleUntil(...timesMs: (number | undefined)[]): StepResult {
  const known = timesMs.filter((time) => time !== undefined);
  return known.length === 0 ? idle : { again: false, wakeAtMs: Math.min(...known) };
}
