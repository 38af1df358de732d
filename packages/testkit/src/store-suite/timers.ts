import type { Claim, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const minuteMs = 60_000;

/** A durable timer is the time at which a conversation is given back to be due. */
export function describeTimers(options: StoreSuiteOptions): void {
  describe("timers", () => {
    const test = useStore(options);

    /** Gives a conversation back, to be due in so many minutes; `null` for never. */
    async function setTimer(key: string, minutes: number | null): Promise<void> {
      const { store } = test;
      await committed(store, commitTo(key, { append: [newEntry(`${Math.random()}`)] }));
      const [claim] = await store.claim({ owner: "setter", leaseMs: minuteMs, nowMs: Date.now(), limit: 1, only: [key] });
      if (!claim) throw new Error("The conversation could not be claimed.");
      const { activity } = (await store.readConversation(key)) ?? { activity: -1 };
      const dueAtMs = minutes === null ? null : Date.now() + minutes * minuteMs;
      expect(await store.release(claim, { activity, dueAtMs })).toBe(true);
    }

    async function due(nowMs: number, limit = 100): Promise<readonly string[]> {
      const claims = await test.store.claim({ owner: "worker", leaseMs: 60 * minuteMs, nowMs, limit });
      return claims.map(({ conversation }: Claim) => conversation);
    }

    it("should go off when their time has come, and not before", async () => {
      for (const minutes of [10, 30, 20]) await setTimer(`demo/${minutes}`, minutes);
      await setTimer("demo/never", null);
      expect(await due(Date.now())).toEqual([]);
      expect(await due(await test.passTime(9 * minuteMs))).toEqual([]);
      expect(await due(await test.passTime(2 * minuteMs))).toEqual(["demo/10"]);
      expect(await due(await test.passTime(10 * minuteMs), 1)).toEqual(["demo/20"]);
    });

    it("should go off once, the oldest first", async () => {
      for (const minutes of [3, 1, 2]) await setTimer(`demo/${minutes}`, minutes);
      const nowMs = await test.passTime(5 * minuteMs);
      expect(await due(nowMs, 2)).toEqual(expect.arrayContaining(["demo/1", "demo/2"]));
      expect(await due(nowMs, 2)).toEqual(["demo/3"]);
      expect(await due(nowMs, 2)).toEqual([]);
    });

    it("should survive a restart [F158 timers in the store]", async () => {
      await setTimer("demo/10", 10);
      await test.reopen();
      expect(await due(Date.now())).toEqual([]);
      expect(await due(await test.passTime(11 * minuteMs))).toEqual(["demo/10"]);
    });

    it("should go off at once when something happens", async () => {
      await setTimer("demo/10", 10);
      await committed(test.store, { conversation: "demo/10", append: [newEntry("now")] });
      expect(await due(Date.now() + 1)).toEqual(["demo/10"]);
    });

    it("should be set anew by the next one who gives the conversation back", async () => {
      await setTimer("demo/a", 10);
      await setTimer("demo/a", 30);
      expect(await due(await test.passTime(11 * minuteMs))).toEqual([]);
      expect(await due(await test.passTime(20 * minuteMs))).toEqual(["demo/a"]);
    });

    it("should not be set where something has happened that nobody has seen", async () => {
      const store: Store = test.store;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const [claim] = await store.claim({ owner: "one", leaseMs: minuteMs, nowMs: Date.now() + 1, limit: 1 });
      if (!claim) throw new Error("The conversation could not be claimed.");
      const { activity } = (await store.readConversation("demo/a")) ?? { activity: -1 };
      await committed(store, { conversation: "demo/a", append: [newEntry("2")] });
      expect(await store.release(claim, { activity, dueAtMs: Date.now() + 10 * minuteMs })).toBe(false);
      const after = await test.endLeases(minuteMs);
      const late = { owner: "two", leaseMs: minuteMs, nowMs: Date.now() + 2 * minuteMs, limit: 1 };
      expect(await after.claim(late)).toMatchObject([{ conversation: "demo/a" }]);
    });
  });
}
