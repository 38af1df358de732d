import type { Claim, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { account, commitTo, committed, newDelivery, newEntry, newHandover, readAll, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const hourMs = 3_600_000;

/** One instance works on a conversation at a time, and nothing that is due is forgotten. */
export function describeLeases(options: StoreSuiteOptions): void {
  describe("leases", () => {
    const test = useStore(options);

    it("should have a conversation due after everything that gives a worker something to do", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/entries", { append: [newEntry("1")] }));
      await committed(store, commitTo("demo/handover", { handovers: [newHandover("h1", "demo/handover")] }));
      await committed(store, commitTo("demo/update-only", { update: { botThrough: 1 } }));
      await startHandover(store, "demo/inbox", ["conversation:1"]);
      await drain(store);
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      expect(keysOf(await claimDue(store, "one"))).toEqual(["demo/inbox"]);
    });

    it("should claim what is due, up to the limit, and each for one owner only [F021 store part]", async () => {
      const [first, second] = await test.two();
      const keys = Array.from({ length: 30 }, (_, index) => `demo/${index}`);
      for (const key of keys) await committed(first, commitTo(key, { append: [newEntry("1")] }));
      const claims = await Promise.all([claimDue(first, "one", 10), claimDue(second, "two", 10), claimDue(first, "three", 10)]);
      expect(claims.map((some) => some.length)).toEqual([10, 10, 10]);
      expect(new Set(claims.flatMap(keysOf))).toEqual(new Set(keys));
      expect(await claimDue(second, "four")).toEqual([]);
    });

    it("should not claim what nobody has to work on", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { update: { botThrough: 0 } }));
      expect(await claimDue(store, "one")).toEqual([]);
    });

    it("should claim named conversations whether they are due or not, but not those of another owner", async () => {
      const { store } = test;
      for (const key of ["demo/a", "demo/b", "demo/c"]) await committed(store, commitTo(key, { update: { botThrough: 0 } }));
      expect(keysOf(await claimOnly(store, "one", ["demo/a"]))).toEqual(["demo/a"]);
      expect(keysOf(await claimOnly(store, "two", ["demo/a", "demo/b", "demo/unknown"]))).toEqual(["demo/b"]);
      expect(await claimOnly(store, "two", [])).toEqual([]);
    });

    it("should raise the fence with every claim, also of the same owner", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const [first] = await claimOnly(store, "one", ["demo/a"]);
      const [second] = await claimOnly(store, "one", ["demo/a"]);
      expect(second?.fence).toBeGreaterThan(first?.fence ?? Infinity);
      expect(await store.commit({ conversation: "demo/a", fence: first?.fence ?? 0 })).toEqual({ status: "fenced" });
      expect(await store.commit({ conversation: "demo/a", fence: second?.fence ?? 0 })).toMatchObject({ status: "committed" });
    });

    it("should refuse a commit under a lost lease, and change nothing", async () => {
      const { store } = test;
      const handover = await startHandover(store, "demo/a", ["conversation:1"]);
      const [claim] = await claimOnly(store, "one", ["demo/a"]);
      if (!claim) throw new Error("The conversation was not claimed.");
      await giveBack(store, claim);
      const [successor] = await claimOnly(store, "two", ["demo/a"]);
      const before = await readAll(store, "demo/a");
      const late = {
        conversation: "demo/a",
        fence: claim.fence,
        append: [newEntry("1")],
        handovers: [newHandover(handover, "demo/a", { status: "ended" })],
        references: [{ accountKey: account, handover, references: ["conversation:2"] }],
      } as const;
      expect(await store.commit(late)).toEqual({ status: "fenced" });
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect(await store.commit({ ...late, fence: successor?.fence ?? 0 })).toMatchObject({ status: "committed", seqs: [1] });
    });

    it("should refuse a commit under a lease that was given back", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const [claim] = await claimOnly(store, "one", ["demo/a"]);
      if (!claim) throw new Error("The conversation was not claimed.");
      await giveBack(store, claim);
      expect(await store.commit({ conversation: "demo/a", fence: claim.fence, append: [newEntry("2")] })).toEqual({ status: "fenced" });
    });

    it("should let everybody else append to a conversation that is held", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      await claimOnly(store, "one", ["demo/a"]);
      expect(await committed(store, { conversation: "demo/a", append: [newEntry("2")] })).toMatchObject({ seqs: [2] });
    });

    it("should not take a conversation back when something has happened since", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const [claim] = await claimDue(store, "one");
      if (!claim) throw new Error("The conversation was not claimed.");
      const { activity } = (await store.readConversation("demo/a")) ?? { activity: -1 };
      await committed(store, { conversation: "demo/a", append: [newEntry("2")] });
      expect(await store.release(claim, { activity, dueAtMs: null })).toBe(false);
      expect(await store.commit({ conversation: "demo/a", fence: claim.fence })).toMatchObject({ status: "committed" });
      expect(await store.release(claim, { activity: activity + 1, dueAtMs: null })).toBe(true);
      expect(await claimDue(store, "two")).toEqual([]);
    });

    it("should have a conversation due again when its release said so", async () => {
      const { store } = test;
      const nowMs = Date.now();
      for (const [key, dueAtMs] of [["demo/soon", nowMs - 1] as const, ["demo/later", nowMs + hourMs + 0.5] as const]) {
        await committed(store, commitTo(key, { append: [newEntry("1")] }));
        const [claim] = await claimOnly(store, "one", [key]);
        if (claim) await giveBack(store, claim, dueAtMs);
      }
      expect(keysOf(await claimDue(store, "one"))).toEqual(["demo/soon"]);
      await committed(store, { conversation: "demo/later", append: [newEntry("2")] });
      expect(keysOf(await claimDue(store, "one"))).toEqual(["demo/later"]);
    });

    it("should say of a lease that was lost that nothing is left to give back, and leave the successor alone", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
      const [claim] = await claimOnly(store, "one", ["demo/a"]);
      const [successor] = await claimOnly(store, "one", ["demo/a"]);
      if (!claim || !successor) throw new Error("The conversation was not claimed.");
      const { activity } = (await store.readConversation("demo/a")) ?? { activity: -1 };
      expect(await store.release(claim, { activity, dueAtMs: null })).toBe(true);
      expect(await store.commit({ conversation: "demo/a", fence: successor.fence })).toMatchObject({ status: "committed" });
    });

    it("should name the conversations that were lost when claims are renewed", async () => {
      const { store } = test;
      for (const key of ["demo/a", "demo/b", "demo/c"]) await committed(store, commitTo(key, { append: [newEntry("1")] }));
      const claims = await claimDue(store, "one");
      const given = claims.find(({ conversation }) => conversation === "demo/b");
      if (given) await giveBack(store, given);
      await claimOnly(store, "one", ["demo/c"]);
      expect([...(await store.renew(claims, "one", hourMs, Date.now()))].sort()).toEqual(["demo/b", "demo/c"]);
      expect([...(await store.renew(claims, "two", hourMs, Date.now()))].sort()).toEqual(["demo/a", "demo/b", "demo/c"]);
    });

    it("should keep what is due over a restart, and when it was said to be due [F158 store part]", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/free", { append: [newEntry("1")] }));
      await committed(store, commitTo("demo/timer", { append: [newEntry("1")] }));
      const [timer] = await claimOnly(store, "one", ["demo/timer"]);
      if (timer) await giveBack(store, timer, Date.now() - 1);
      const reopened = await test.reopen();
      expect([...keysOf(await claimDue(reopened, "two"))].sort()).toEqual(["demo/free", "demo/timer"]);
    });
  });
}

async function claimDue(store: Store, owner: string, limit = 100): Promise<readonly Claim[]> {
  return store.claim({ owner, leaseMs: hourMs, nowMs: Date.now() + 1000, limit });
}

async function claimOnly(store: Store, owner: string, only: readonly string[]): Promise<readonly Claim[]> {
  return store.claim({ owner, leaseMs: hourMs, nowMs: Date.now(), limit: 100, only });
}

async function giveBack(store: Store, claim: Claim, dueAtMs: number | null = null): Promise<void> {
  const conversation = await store.readConversation(claim.conversation);
  expect(await store.release(claim, { activity: conversation?.activity ?? -1, dueAtMs })).toBe(true);
}

/** Claims and gives back everything that is due. */
async function drain(store: Store): Promise<void> {
  const claims = await claimDue(store, "drain");
  expect([...keysOf(claims)].sort()).toEqual(["demo/entries", "demo/handover", "demo/inbox"]);
  for (const claim of claims) await giveBack(store, claim);
}

function keysOf(claims: readonly Claim[]): readonly string[] {
  return claims.map(({ conversation }) => conversation);
}
