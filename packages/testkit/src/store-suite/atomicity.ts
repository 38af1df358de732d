import type { Commit } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import {
  account,
  commitTo,
  committed,
  newDelivery,
  newEntry,
  newHandover,
  newJournalItem,
  newPart,
  readAll,
  startHandover,
  unwritable,
} from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** A commit is all or nothing. */
export function describeAtomicity(options: StoreSuiteOptions): void {
  describe("atomicity", () => {
    const test = useStore(options);

    it("should carry out all of a commit, and keep it over a restart [F158 store part]", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      const [waiting] = await store.readInbox("demo/a", 1);
      const handover = newHandover("h2", "demo/a", { ordinal: 2 });
      const result = await committed(store, {
        conversation: "demo/a",
        append: [newEntry("u1"), newEntry("u2")],
        update: { botThrough: 1, handoverCount: 2, currentHandover: "h2", user: { id: "0101", name: "Ada" } },
        handovers: [handover],
        parts: [newPart("h2", 1), newPart("h2", 2)],
        consume: waiting ? [waiting.number] : [],
        references: [{ accountKey: account, handover: "h2", references: ["conversation:2"] }],
        deliveries: [newDelivery("m2", ["conversation:2"])],
        journal: [newJournalItem()],
      });
      expect(result).toMatchObject({ seqs: [1, 2], added: 2, version: 2, deliveriesAdded: 1 });

      const before = await readAll(store, "demo/a");
      expect(before.conversation).toMatchObject({
        lastSeq: 2,
        botThrough: 1,
        handoverCount: 2,
        currentHandover: "h2",
        user: { id: "0101" },
      });
      expect(before.entries.map(({ id }) => id)).toEqual(["u1", "u2"]);
      expect(before.handovers.map(({ id }) => id)).toEqual(["handover-of-demo/a", "h2"]);
      expect(before.inbox.map(({ id, handover: owner }) => [id, owner])).toEqual([["m2", "h2"]]);
      const reopened = await test.reopen();
      expect(await readAll(reopened, "demo/a")).toEqual(before);
      expect(await reopened.readOpenParts("h2", 1)).toHaveLength(2);
    });

    it("should refuse a commit that was worked out from another version, and change nothing", async () => {
      const { store } = test;
      const handover = await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      const before = await readAll(store, "demo/a");
      const result = await store.commit({
        conversation: "demo/a",
        expectVersion: 0,
        append: [newEntry("u1")],
        update: { botThrough: 1 },
        parts: [newPart(handover, 1)],
        consume: before.inbox.map(({ number }) => number),
        deliveries: [newDelivery("m2", ["conversation:1"])],
      });
      expect(result).toEqual({ status: "conflict" });
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect(await store.readOpenParts(handover, 1)).toEqual([]);
    });

    it("should refuse a commit that was worked out before the newest entry, and change nothing", async () => {
      const { store } = test;
      expect(await committed(store, commitTo("demo/a", { expectLastSeq: 0, append: [newEntry("u1")] }))).toMatchObject({ seqs: [1] });
      const before = await readAll(store, "demo/a");
      const commit: Commit = { conversation: "demo/a", expectLastSeq: 0, append: [newEntry("u2")], update: { botThrough: 1 } };
      expect(await store.commit(commit)).toEqual({ status: "conflict" });
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect(await store.commit({ ...commit, expectLastSeq: 1 })).toMatchObject({ status: "committed", seqs: [2] });
    });

    it("should not make a conversation for a commit that is refused", async () => {
      const { store } = test;
      expect(await store.commit(commitTo("demo/a", { expectVersion: 3, append: [newEntry("u1")] }))).toEqual({ status: "conflict" });
      expect(await store.commit(commitTo("demo/a", { fence: 1, append: [newEntry("u1")] }))).toEqual({ status: "fenced" });
      expect(await store.readConversation("demo/a")).toBeUndefined();
    });

    it("should take a conversation that does not exist as version 0", async () => {
      const { store } = test;
      expect(await store.commit(commitTo("demo/a", { expectVersion: 0, update: { botThrough: 0 } }))).toMatchObject({ version: 1 });
      expect(await store.commit(commitTo("demo/a", { expectVersion: 0, update: { botThrough: 0 } }))).toEqual({ status: "conflict" });
    });

    it("should reject a commit to a conversation that does not exist", async () => {
      const { store } = test;
      await expect(store.commit({ conversation: "demo/a", append: [newEntry("u1")] })).rejects.toMatchObject({ code: "STORE_FAILED" });
      expect(await store.readConversation("demo/a")).toBeUndefined();
    });

    it("should undo everything of a commit that fails at its last step", async () => {
      const { store } = test;
      const handover = await startHandover(store, "demo/a", ["conversation:1"]);
      const before = await readAll(store, "demo/a");
      const failing = store.commit({
        conversation: "demo/a",
        append: [newEntry("u1")],
        update: { botThrough: 7 },
        parts: [newPart(handover, 1)],
        references: [{ accountKey: account, handover, references: ["conversation:9"] }],
        deliveries: [newDelivery("m1", ["conversation:9"])],
        journal: [{ ...newJournalItem(), details: unwritable() }],
      });
      await expect(failing).rejects.toMatchObject({ code: "STORE_FAILED" });
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect(await store.readOpenParts(handover, 1)).toEqual([]);
      expect(await store.findHandover(account, ["conversation:9"])).toBeUndefined();
      expect(await store.receive([newDelivery("m1", ["conversation:9"])])).toMatchObject({ parked: 1, repeated: 0 });
    });

    it("should not let a failing or refused commit disturb those beside it", async () => {
      const { store } = test;
      const results = await Promise.allSettled([
        store.commit(commitTo("demo/a", { append: [newEntry("u1")] })),
        store.commit(commitTo("demo/a", { append: [newEntry("u2"), newEntry("u3", { text: unwritable() })] })),
        store.commit(commitTo("demo/a", { expectVersion: 9, append: [newEntry("u4")] })),
        store.commit(commitTo("demo/b", { parts: [newPart("no-handover", 1)] })),
        store.commit(commitTo("demo/a", { append: [newEntry("u5")] })),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
      const entries = await store.readEntries("demo/a", { after: 0, limit: 10 });
      expect(entries.map(({ seq, id }) => [seq, id])).toEqual([
        [1, "u1"],
        [2, "u5"],
      ]);
      expect(await store.readConversation("demo/b")).toBeUndefined();
    });

    it("should put all deliveries of a request into the inbox, or none [F003 store part]", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      const request = [newDelivery("m1", ["conversation:1"]), newDelivery("m2", ["conversation:1"], { payload: unwritable() })];
      const before = await readAll(store, "demo/a");
      await expect(store.receive(request)).rejects.toMatchObject({ code: "STORE_FAILED" });
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect(await store.receive([newDelivery("m1", ["conversation:1"])])).toMatchObject({ added: 1 });
    });

    it("should refuse records of another conversation's handover [F087 store part]", async () => {
      const { store } = test;
      const foreign = await startHandover(store, "demo/b", ["conversation:1"]);
      const before = await readAll(store, "demo/b");
      const references = [{ accountKey: account, handover: foreign, references: ["conversation:2"] }];
      await expect(store.commit(commitTo("demo/a", { parts: [newPart(foreign, 1)] }))).rejects.toThrow();
      await expect(store.commit(commitTo("demo/a", { references }))).rejects.toThrow();
      await expect(store.commit(commitTo("demo/a", { handovers: [newHandover(foreign, "demo/a")] }))).rejects.toThrow();
      expect(await readAll(store, "demo/b")).toEqual(before);
      expect(await store.readConversation("demo/a")).toBeUndefined();
    });
  });
}
