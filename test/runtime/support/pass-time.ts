import { expect } from "vitest";
import type { RuntimeClock, Timing } from "@handover/runtime";
import { createManualClock } from "./manual-clock.ts";
import type { StoreName } from "./world-store.ts";

/** Time that a test moves on where it can: leases on PostgreSQL go by the database's own clock, so there it passes by itself. */
export interface PassingTime {
  /** Goes into `openWorld({ runtime })`. */
  readonly runtime: { readonly clock?: RuntimeClock };
  /** Goes into `openWorld({ timing })`: calls take real time, so where minutes pass in a moment they must not be too late. */
  readonly timing: Partial<Timing>;
  readonly isManual: boolean;
  now(): number;
  /** Lets time pass until it is so; rejects after 15 s of real time. */
  until(what: string, fits: () => boolean, stepMs?: number): Promise<void>;
  /** Lets so much time pass where it is moved by hand; elsewhere not. */
  pass(byMs: number): Promise<void>;
}

/** One for each test. */
export function passTime(store: StoreName): PassingTime {
  const clock = store === "sqlite" ? createManualClock() : undefined;
  return {
    runtime: clock ? { clock } : {},
    timing: clock ? { callTimeoutMs: 600_000 } : {},
    isManual: clock !== undefined,
    now: () => clock?.now() ?? Date.now(),
    until: (what, fits, stepMs = 500) =>
      expect.poll(async () => (await clock?.advance(stepMs), fits()), { interval: 3, timeout: 15_000, message: what }).toBe(true),
    async pass(byMs) {
      for (let passed = 0; clock && passed < byMs; passed += 1_000) await clock.advance(Math.min(1_000, byMs - passed));
    },
  };
}
