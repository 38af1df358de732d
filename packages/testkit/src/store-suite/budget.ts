import type { BudgetRequest, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newDelivery, newEntry, newHandover, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** A bucket that nobody fills while a test runs. */
const slow = { capacity: 10, refillPerMs: 1e-9 };
const want = (calls: number, keep = 0) => ({ calls, keep });

async function take(store: Store, bucket: string, ...wants: BudgetRequest["wants"]): Promise<readonly number[]> {
  return (await store.takeBudget(bucket, { ...slow, wants })).granted;
}

/** Calls of vendors that all instances share, and what waits to be dealt with. */
export function describeBudget(options: StoreSuiteOptions): void {
  describe("budgets and counts", () => {
    const test = useStore(options);

    it("should give what is in a bucket, and no more, to however many take of it at once [F101 store part]", async () => {
      const stores = await test.two();
      const takers = Array.from({ length: 20 }, (_, index) => take(stores[index % 2] ?? test.store, "calls:a", want(1)));
      const granted = (await Promise.all(takers)).flat();
      expect(granted.filter((calls) => calls === 1)).toHaveLength(10);
      expect(granted.filter((calls) => calls === 0)).toHaveLength(10);
      expect(await take(test.store, "calls:b", want(3))).toEqual([3]);
    });

    it("should serve what is wanted in its order, and leave what is to be kept", async () => {
      expect(await take(test.store, "calls:a", want(2), want(1, 3), want(100, 5))).toEqual([2, 1, 2]);
      expect(await take(test.store, "calls:a", want(0), want(9, 5))).toEqual([0, 0]);
      expect(await take(test.store, "calls:a", want(9, 3))).toEqual([2]);
      expect(await take(test.store, "calls:a", want(9))).toEqual([3]);
    });

    it("should say when there will be more, and fill a bucket again, to the brim and not above", async () => {
      const { store } = test;
      expect(await store.takeBudget("calls:a", { capacity: 4, refillPerMs: 0.001, wants: [want(4)] })).toEqual({ granted: [4], waitMs: 0 });
      const empty = await store.takeBudget("calls:a", { capacity: 4, refillPerMs: 0.001, wants: [want(1, 1)] });
      expect(empty.granted).toEqual([0]);
      expect(empty.waitMs).toBeGreaterThan(1_000);
      expect(empty.waitMs).toBeLessThanOrEqual(2_000);
      expect((await store.takeBudget("calls:a", { capacity: 4, refillPerMs: 1e6, wants: [want(9)] })).granted[0]).toBeLessThanOrEqual(4);
    });

    it("should count the user messages that nobody has dealt with, in one conversation and in all", async () => {
      const { store } = test;
      const bots = ["demo"];
      expect(await store.countWaiting({ bots })).toEqual({ messages: 0, deliveries: 0, parked: {} });
      const append = [newEntry("1"), newEntry("2"), newEntry("3"), newEntry("b", { source: "bot", author: { role: "bot" } })];
      await committed(store, commitTo("demo/bot", { append, update: { botThrough: 1 } }));
      await committed(store, commitTo("demo/desk", { append }));
      const handover = newHandover("h1", "demo/desk");
      await committed(store, {
        conversation: "demo/desk",
        handovers: [{ ...handover, attempt: { ...handover.attempt, liveThrough: 2 } }],
        update: { currentHandover: "h1" },
      });
      expect(await store.countWaiting({ bots })).toMatchObject({ messages: 3 });
      expect(await store.countWaiting({ bots, conversation: "demo/bot" })).toMatchObject({ messages: 2 });
      expect(await store.countWaiting({ bots, conversation: "demo/unknown" })).toMatchObject({ messages: 0, deliveries: 0 });
      expect(await store.countWaiting({ bots: [] })).toMatchObject({ messages: 1 });
      const claims = await store.claim({ owner: "one", leaseMs: 60_000, nowMs: Date.now(), limit: 9, only: ["demo/bot", "demo/desk"] });
      expect(await store.countWaiting({ bots })).toMatchObject({ messages: 3 });
      for (const claim of claims) {
        const { activity } = (await store.readConversation(claim.conversation)) ?? { activity: -1 };
        await store.release(claim, { activity, dueAtMs: null });
      }
      expect(await store.countWaiting({ bots })).toMatchObject({ messages: 0 });
    });

    it("should count what waits in inboxes and what is parked, by account", async () => {
      const { store } = test;
      const other = `https://other.example|${"7".repeat(500)}`;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await startHandover(store, "demo/b", ["conversation:2"]);
      await store.receive(["1", "2", "3"].map((id) => newDelivery(id, ["conversation:1"])));
      await store.receive([newDelivery("4", ["conversation:2"]), newDelivery("5", ["conversation:9"])]);
      await store.receive([newDelivery("6", ["conversation:9"], { accountKey: other }), newDelivery("7", ["x"], { accountKey: other })]);
      const [first] = await store.readInbox("demo/a", 1);
      await committed(store, { conversation: "demo/a", consume: [first?.number ?? 0] });
      const { accountKey } = newDelivery("8", []);
      expect(await store.countWaiting({ bots: [] })).toEqual({ messages: 0, deliveries: 3, parked: { [accountKey]: 1, [other]: 2 } });
      expect(await store.countWaiting({ bots: [], conversation: "demo/a" })).toEqual({ messages: 0, deliveries: 2, parked: {} });
    });
  });
}
