import type { Claim, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry, readAll } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const leaseMs = 30_000;
const dayMs = 86_400_000;

/** A lease that nobody renews goes to somebody else, and never back. */
export function describeLeaseEnds(options: StoreSuiteOptions): void {
  describe("ends of leases", () => {
    const test = useStore(options);

    async function claim(store: Store, owner: string, request: { nowMs?: number; isDue?: boolean } = {}): Promise<Claim | undefined> {
      const { nowMs = Date.now(), isDue = false } = request;
      const [claimed] = await store.claim({ owner, leaseMs, nowMs, limit: 10, ...(isDue ? {} : { only: ["demo/a"] }) });
      return claimed;
    }

    /** A claim of `one` that was lost to `two`. */
    async function loseLease(): Promise<{ readonly store: Store; readonly lost: Claim; readonly current: Claim }> {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      const lost = await claim(test.store, "one");
      const store = await test.endLeases(leaseMs);
      const current = await claim(store, "two");
      if (!lost || !current) throw new Error("The conversation could not be claimed.");
      return { store, lost, current };
    }

    it("should let another owner claim what was not renewed, with a higher fence", async () => {
      const { lost, current } = await loseLease();
      expect(current.fence).toBeGreaterThan(lost.fence);
    });

    it("should offer it as due, without anybody asking for it by name [F021 lease part]", async () => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      expect(await claim(test.store, "one", { isDue: true })).toBeDefined();
      expect(await claim(test.store, "two", { isDue: true })).toBeUndefined();
      const store = await test.endLeases(leaseMs);
      expect(await claim(store, "two", { isDue: true, nowMs: Date.now() + leaseMs + 1_000 })).toMatchObject({ conversation: "demo/a" });
    });

    it("should not give it away before", async () => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      const held = await claim(test.store, "one");
      const nowMs = await test.passTime(leaseMs - 5_000);
      expect(await claim(test.store, "two", { nowMs })).toBeUndefined();
      expect(await claim(test.store, "two", { nowMs, isDue: true })).toBeUndefined();
      expect(await test.store.commit({ conversation: "demo/a", fence: held?.fence ?? 0 })).toMatchObject({ status: "committed" });
    });

    it("should not give away what is renewed", async () => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      const held = await claim(test.store, "one");
      for (let round = 0; round < 3; round += 1) {
        const nowMs = await test.passTime(leaseMs - 5_000);
        expect(await test.store.renew(held ? [held] : [], "one", leaseMs, nowMs)).toEqual([]);
        expect(await claim(test.store, "two", { nowMs })).toBeUndefined();
      }
    });

    it("should renew a lease that has run out, as long as nobody has taken it", async () => {
      if (!test.opened.passTime) return expect(test.store.isShared).toBe(false);
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      const held = await claim(test.store, "one");
      const nowMs = await test.passTime(leaseMs + 5_000);
      expect(await test.store.renew(held ? [held] : [], "one", leaseMs, nowMs)).toEqual([]);
      expect(await claim(test.store, "two", { nowMs })).toBeUndefined();
    });

    it("should refuse every write of the one who lost it, and change nothing", async () => {
      const { store, lost } = await loseLease();
      const before = await readAll(store, "demo/a");
      const late = { append: [newEntry("2")], amend: [{ seq: 1, delivery: "read" }], update: { botThrough: 1 } } as const;
      expect(await store.commit({ conversation: "demo/a", fence: lost.fence, ...late })).toEqual({ status: "fenced" });
      expect(await readAll(store, "demo/a")).toEqual(before);
    });

    it("should name it when it is renewed, and not lengthen it", async () => {
      const { store, lost, current } = await loseLease();
      expect(await store.renew([lost], "one", dayMs, Date.now())).toEqual(["demo/a"]);
      expect(await store.renew([{ ...current, fence: lost.fence }], "two", dayMs, Date.now())).toEqual(["demo/a"]);
      expect(await store.renew([current], "one", dayMs, Date.now())).toEqual(["demo/a"]);
      expect(await store.renew([current], "two", leaseMs, Date.now())).toEqual([]);
      const after = await test.endLeases(leaseMs);
      expect(await claim(after, "three")).toBeDefined();
    });

    it("should leave it with the one who has it when the other gives it back", async () => {
      const { store, lost, current } = await loseLease();
      const { activity } = (await store.readConversation("demo/a")) ?? { activity: -1 };
      expect(await store.release(lost, { activity, dueAtMs: Date.now() - 1 })).toBe(true);
      expect(await claim(store, "three")).toBeUndefined();
      expect(await store.commit({ conversation: "demo/a", fence: current.fence })).toMatchObject({ status: "committed" });
    });

    it.each([-dayMs, dayMs])("should not mind a host whose clock is %i ms off", async (offMs) => {
      const [first, second] = await test.two();
      await committed(first, commitTo("demo/a", { append: [newEntry("1")] }));
      const held = await claim(first, "one", { nowMs: Date.now() + offMs });
      expect(await claim(second, "two", { nowMs: Date.now() })).toBeUndefined();
      expect(await claim(second, "two", { nowMs: Date.now() + dayMs, isDue: true })).toBeUndefined();
      expect(await first.renew(held ? [held] : [], "one", leaseMs, Date.now() + offMs)).toEqual([]);
      expect(await claim(second, "two", { nowMs: Date.now() + dayMs })).toBeUndefined();
      const store = await test.endLeases(leaseMs);
      expect(await claim(store, "two", { nowMs: Date.now() + offMs })).toBeDefined();
    });
  });
}
