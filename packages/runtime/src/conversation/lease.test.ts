import { describe, expect, it } from "vitest";
import { createManualClock } from "../../../../test/runtime/support/manual-clock.ts";
import { defaultTiming } from "../defaults.ts";
import type { Store } from "../store/store.ts";
import { checkLeaseTime, createLease } from "./lease.ts";
import { LeaseLostError } from "./transact.ts";

const timing = { ...defaultTiming, leaseMs: 30_000, callTimeoutMs: 15_000 };
const claim = { conversation: "demo/a", fence: 1 };

/** A lease in a store that keeps claims, or says that they are lost, after a while. */
function openLease(options: { readonly isShared?: boolean; readonly answerMs?: number } = {}) {
  const clock = createManualClock();
  const asked: number[] = [];
  let isLost = false;
  const answer = async () => {
    asked.push(clock.now());
    if (options.answerMs !== undefined) await clock.advance(options.answerMs);
    return isLost ? [claim.conversation] : [];
  };
  const store = { isShared: options.isShared ?? true, renew: answer } as unknown as Store;
  const lease = createLease({ store, clock, timing }, "me", { claim, askedAtMs: clock.now() });
  return { clock, lease, asked, takeAway: () => void (isLost = true) };
}

describe("a lease", () => {
  it("should be held without a question while it lasts long enough, and be renewed before it is relied on for longer", async () => {
    const { clock, lease, asked } = openLease();
    await lease.hold(15_000);
    await clock.advance(15_000);
    await lease.hold(15_000);
    expect(asked).toEqual([]);
    await clock.advance(1);
    await Promise.all([lease.hold(15_000), lease.hold(15_000)]);
    expect(asked).toHaveLength(1);
    await clock.advance(15_000);
    await lease.hold(15_000);
    expect(asked).toHaveLength(1);
  });

  it("should be lost for good when somebody else has the conversation, and tell everybody at once", async () => {
    const { clock, lease, takeAway } = openLease();
    takeAway();
    await lease.hold(15_000);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(30_001);
    await expect(lease.hold(0)).rejects.toBeInstanceOf(LeaseLostError);
    expect(lease.signal.aborted).toBe(true);
    lease.renewed(clock.now());
    await expect(lease.hold(0)).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("should not be believed in because of an answer to a question from before it was given back", async () => {
    const { clock, lease, asked, takeAway } = openLease();
    const askedAtMs = clock.now();
    await clock.advance(5);
    lease.doubt();
    takeAway();
    lease.renewed(askedAtMs);
    await expect(lease.hold(0)).rejects.toBeInstanceOf(LeaseLostError);
    expect(asked).toHaveLength(1);
  });

  it("should be counted from the question and not from the answer, and refuse what a slow store cannot promise", async () => {
    const { clock, lease, asked } = openLease({ answerMs: 16_000 });
    await clock.advance(20_000);
    await expect(lease.hold(15_000)).rejects.toMatchObject({ code: "STORE_FAILED", isRetryable: true });
    expect(asked.length).toBeGreaterThan(1);
    await lease.hold(10_000);
  });

  it("should be asked about after the clock was set back, or when nobody knows whether it was given back", async () => {
    const { clock, asked, lease } = openLease();
    const behind = { ...clock, now: () => clock.now() - 1_000 };
    const store = { isShared: true, renew: async () => (asked.push(0), []) } as unknown as Store;
    const other = createLease({ store, clock: behind, timing }, "me", { claim, askedAtMs: clock.now() });
    await other.hold(0);
    expect(asked).toHaveLength(1);
    lease.doubt();
    await lease.hold(0);
    expect(asked).toHaveLength(2);
  });

  it("should last in a store of one process until it is given back", async () => {
    const { clock, lease, asked } = openLease({ isShared: false });
    await clock.advance(1_000_000);
    await lease.hold(15_000);
    expect(asked).toEqual([]);
  });
});

describe("the time of a lease", () => {
  it("should leave room for a call after it was renewed", () => {
    expect(() => checkLeaseTime(defaultTiming)).not.toThrow();
    expect(() => checkLeaseTime({ callTimeoutMs: 2_000, leaseMs: 3_000 })).not.toThrow();
    expect(() => checkLeaseTime({ callTimeoutMs: 2_001, leaseMs: 3_000 })).toThrow(/leaseMs.*one and a half times callTimeoutMs/);
  });
});
