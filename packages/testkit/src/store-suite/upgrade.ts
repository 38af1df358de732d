import type { Store } from "@handover/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { account, committed, newDelivery, newEntry, newHandover, readAll, someTimeMs } from "./records.ts";
import type { StoreData, StoreSuiteOptions } from "./use-store.ts";

const dayMs = 86_400_000;

/** A store brings along what an earlier release wrote, and leaves alone what a later one wrote. */
export function describeUpgrade({ earlier = [] }: StoreSuiteOptions): void {
  describe.each(earlier)("upgrade from $name", ({ prepare }) => {
    let data: StoreData;

    beforeEach(async () => {
      data = await prepare();
    });
    afterEach(() => data.cleanup());

    async function upgraded(): Promise<Store> {
      const store = data.create();
      await store.open();
      return store;
    }

    it("should bring everything along, with its numbers [F163 store part]", async () => {
      await expectFilled(await upgraded());
    });

    it("should be able to do with it what it can do with its own", async () => {
      await expectUsable(await upgraded());
    });

    it("should find and erase what is in it [F127 earlier data]", async () => {
      const store = await upgraded();
      expect(await store.listConversationsOfUser({ user: "0101", limit: 10 })).toEqual(["demo/ended"]);
      expect(await store.listConversationsOfUser({ user: "9007199254740993", limit: 10 })).toEqual(["demo/running"]);
      expect(await store.eraseDue({ beforeMs: someTimeMs + dayMs, limit: 10 })).toBe(1);
      expect(await store.readEntries("demo/ended", { after: 0, limit: 1 })).toMatchObject([{ seq: 1, id: "u1", isErased: true }]);
      expect(await store.readEntries("demo/running", { after: 0, limit: 1 })).toMatchObject([{ seq: 1, text: "text of u1" }]);
    });

    it("should do it once", async () => {
      const store = await upgraded();
      await committed(store, { conversation: "demo/running", append: [newEntry("new")] });
      const before = await readAll(store, "demo/running");
      await store.close();
      expect(await readAll(await upgraded(), "demo/running")).toEqual(before);
    });

    it("should do it again, or go back to the start, when it dies in the middle", async () => {
      await data.dieInUpgrade();
      const store = await upgraded();
      await expectFilled(store);
      await expectUsable(store);
    });

    it("should refuse data of a newer release, and leave it unharmed [F163 newer data]", async () => {
      await (await upgraded()).close();
      const goBack = await data.makeNewer();
      const store = data.create();
      await expect(store.open()).rejects.toMatchObject({ code: "STORE_NEWER" });
      await expect(store.readConversation("demo/ended")).rejects.toMatchObject({ code: "STORE_FAILED" });
      await goBack();
      await expectFilled(await upgraded());
    });
  });
}

/** What `fillStore` wrote. */
async function expectFilled(store: Store): Promise<void> {
  const ended = await readAll(store, "demo/ended");
  expect(ended.entries.map(({ seq, source, id }) => [seq, source, id])).toEqual([
    [1, "user", "u1"],
    [2, "user", "u2"],
    [3, "user", "u3"],
    [4, "desk", "m1"],
    [5, "runtime", "h1"],
  ]);
  expect(ended.entries[2]?.text).toBe("odd: \0 \ud83d 👩‍👩‍👧‍👦");
  expect(ended).toMatchObject({
    conversation: {
      lastSeq: 5,
      user: { id: "0101", name: "Ada" },
      handoverCount: 1,
      lastHandover: "ended",
      botThrough: 3,
      pushedThrough: 5,
    },
    handovers: [],
    inbox: [],
  });
  expect(await store.readHandover("ended")).toMatchObject({ status: "ended", ended: { seq: 5, reason: "completed" } });
  expect(await store.findPart("ended", { vendorMessageId: "m2" })).toMatchObject({ seq: 2, status: "sent" });

  const running = await readAll(store, "demo/running");
  expect(running).toMatchObject({
    conversation: { lastSeq: 2, user: { id: "9007199254740993" }, currentHandover: "running" },
    entries: [{ seq: 1 }, { seq: 2 }],
    handovers: [
      { id: "running", summary: "wants a person", options: { desk: { queueId: "0101" } }, attempt: { released: { messages: 4 } } },
    ],
    inbox: [{ id: "d3", handover: "running" }, { handover: "running" }],
  });
  expect(await store.readOpenParts("running", 1)).toMatchObject([{ seq: 2, status: "unclear" }]);
  expect(await store.findHandover(account, ["consumer:x"])).toMatchObject({ id: "ended" });
  expect(await store.readMemory("account:one", "key")).toEqual({ secret: "0101" });
}

/** Known is known, new gets the next number, what waits is worked on. */
async function expectUsable(store: Store): Promise<void> {
  expect(await committed(store, { conversation: "demo/ended", append: [newEntry("u2"), newEntry("u4")] })).toMatchObject({ seqs: [2, 6] });
  const known = [newDelivery("d1", ["conversation:1"]), newDelivery("parked", ["conversation:unknown"])];
  expect(await store.receive(known)).toMatchObject({ repeated: 2 });
  const numbers = (await store.readInbox("demo/running", 10)).map(({ number }) => number);
  await committed(store, {
    conversation: "demo/running",
    amend: [{ seq: 1, delivery: "read" }],
    references: [{ accountKey: account, handover: "running", references: ["conversation:unknown"] }],
  });
  expect(await store.readEntries("demo/running", { after: 0, limit: 1 })).toMatchObject([{ delivery: "read" }]);
  const inbox = await store.readInbox("demo/running", 10);
  expect(inbox.map(({ id }) => id)).toEqual(["d3", undefined, "parked"]);
  expect(inbox.map(({ number }) => number).slice(0, 2)).toEqual(numbers);
  const claims = await store.claim({ owner: "one", leaseMs: dayMs, nowMs: Date.now() + 1000, limit: 10 });
  expect(claims.map(({ conversation }) => conversation).sort()).toEqual(["demo/ended", "demo/running"]);
  const handover = newHandover("next", "demo/ended", { ordinal: 2 });
  const fence = claims.find(({ conversation }) => conversation === "demo/ended")?.fence ?? 0;
  await committed(store, { conversation: "demo/ended", fence, handovers: [handover], update: { currentHandover: "next" } });
  expect(await store.readOpenHandovers("demo/ended")).toEqual([handover]);
  const over = newHandover("next", "demo/ended", { ordinal: 2, status: "ended", attempt: { ...handover.attempt, phase: "over" } });
  await committed(store, { conversation: "demo/ended", handovers: [over], update: { currentHandover: null } });
}
