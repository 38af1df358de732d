import type { Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Numbers have no holes, and the same thing twice is one entry. */
export function describeDuplicates(options: StoreSuiteOptions): void {
  describe("numbers and repeats", () => {
    const test = useStore(options);

    it("should number entries from 1 without holes, for each conversation", async () => {
      const { store } = test;
      expect(await committed(store, commitTo("demo/a", { append: [newEntry("1"), newEntry("2")] }))).toMatchObject({ seqs: [1, 2] });
      expect(await committed(store, commitTo("demo/b", { append: [newEntry("1")] }))).toMatchObject({ seqs: [1] });
      expect(await committed(store, commitTo("demo/a", { append: [newEntry("3")] }))).toMatchObject({ seqs: [3] });
      expect(await store.readConversation("demo/a")).toMatchObject({ lastSeq: 3 });
    });

    it("should give a repeat its old number, keep the first text and burn no number [F029]", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("1", { text: "first" }), newEntry("2")] }));
      const again = await committed(
        store,
        commitTo("demo/a", { append: [newEntry("1", { text: "second" }), newEntry("3"), newEntry("2")] }),
      );
      expect(again).toMatchObject({ seqs: [1, 3, 2], added: 1 });
      expect(await store.findEntry("demo/a", "user", "1")).toMatchObject({ seq: 1, text: "first" });
      expect(await seqs(store, "demo/a")).toEqual([1, 2, 3]);
    });

    it("should recognise a repeat within one commit", async () => {
      const { store } = test;
      const result = await committed(store, commitTo("demo/a", { append: [newEntry("1"), newEntry("1"), newEntry("2"), newEntry("1")] }));
      expect(result).toMatchObject({ seqs: [1, 1, 2, 1], added: 2 });
      expect(await seqs(store, "demo/a")).toEqual([1, 2]);
    });

    it("should recognise repeats that come at the same time from two sides [F017 store part]", async () => {
      const stores = await test.two();
      const ids = Array.from({ length: 60 }, (_, index) => `${index % 20}`);
      const results = await Promise.all(
        ids.map((id, index) => committed(stores[index % 2] ?? test.store, commitTo("demo/a", { append: [newEntry(id)] }))),
      );
      expect(results.filter(({ added }) => added === 1)).toHaveLength(20);
      expect(await seqs(test.store, "demo/a")).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      for (const [index, { seqs: given }] of results.entries()) {
        expect(given).toEqual([(await test.store.findEntry("demo/a", "user", `${index % 20}`))?.seq]);
      }
    });

    it("should tell the same id of another source or conversation apart", async () => {
      const { store } = test;
      const result = await committed(store, commitTo("demo/a", { append: [newEntry("1"), newEntry("1", { source: "desk" })] }));
      expect(result).toMatchObject({ seqs: [1, 2], added: 2 });
      expect(await store.findEntry("demo/a", "desk", "1")).toMatchObject({ seq: 2, source: "desk" });
      expect(await store.findEntry("demo/b", "user", "1")).toBeUndefined();
    });

    it("should read entries after a number, oldest first, up to the limit", async () => {
      const { store } = test;
      const append = Array.from({ length: 12 }, (_, index) => newEntry(`${index + 1}`));
      await committed(store, commitTo("demo/a", { append }));
      const some = await store.readEntries("demo/a", { after: 8, limit: 3 });
      expect(some.map(({ seq }) => seq)).toEqual([9, 10, 11]);
      expect(some[0]).toEqual({ ...newEntry("9"), seq: 9 });
      expect(await store.readEntries("demo/a", { after: 12, limit: 3 })).toEqual([]);
      expect(await store.readEntries("demo/unknown", { after: 0, limit: 3 })).toEqual([]);
    });
  });
}

async function seqs(store: Store, key: string): Promise<readonly number[]> {
  return (await store.readEntries(key, { after: 0, limit: 1000 })).map(({ seq }) => seq);
}
