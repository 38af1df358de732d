import type { DeliveryStatus } from "@handover/core";
import type { EntryAmendment } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry, readAll } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** What may change about an entry that is there. */
export function describeAmendments(options: StoreSuiteOptions): void {
  describe("amendments", () => {
    const test = useStore(options);

    async function amend(...amendments: readonly EntryAmendment[]): Promise<void> {
      await committed(test.store, { conversation: "demo/a", amend: amendments });
    }

    async function deliveryOf(seq: number): Promise<DeliveryStatus | undefined> {
      return (await test.store.readEntries("demo/a", { after: seq - 1, limit: 1 }))[0]?.delivery;
    }

    it("should change what it names and nothing else, and keep it over a restart", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("u1"), newEntry("u2"), newEntry("u3")] }));
      await committed(store, commitTo("demo/b", { append: [newEntry("u1")] }));
      const [before, other] = [await readAll(store, "demo/a"), await readAll(store, "demo/b")];
      await amend({ seq: 2, delivery: "delivered" }, { seq: 3, delivery: "read", isPossiblyDuplicated: true });
      const [first, second, third] = before.entries;
      const entries = [first, { ...second, delivery: "delivered" }, { ...third, delivery: "read", isPossiblyDuplicated: true }];
      expect(await readAll(store, "demo/a")).toEqual({ ...before, entries });
      expect(await store.findEntry("demo/a", "user", "u3")).toEqual(entries[2]);
      expect(await readAll(store, "demo/b")).toEqual(other);
      expect((await readAll(await test.reopen(), "demo/a")).entries).toEqual(entries);
    });

    it("should burn no number and wake nobody", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("u1")] }));
      const before = await store.readConversation("demo/a");
      const result = await committed(store, { conversation: "demo/a", amend: [{ seq: 1, delivery: "read" }], expectLastSeq: 1 });
      expect(result).toMatchObject({ seqs: [], added: 0, version: before?.version });
      expect(await store.readConversation("demo/a")).toEqual(before);
      expect(await committed(store, { conversation: "demo/a", append: [newEntry("u2")] })).toMatchObject({ seqs: [2] });
    });

    const orders: readonly (readonly DeliveryStatus[])[] = [
      ["delivered", "read"],
      ["read", "delivered"],
      ["failed", "read"],
      ["read", "failed"],
      ["read", "read"],
      ["delivered", "failed", "read", "delivered"],
    ];
    it.each(orders.map((order) => [order.join(", "), order] as const))("should end as read after %s", async (_title, order) => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("u1")] }));
      for (const delivery of order) await amend({ seq: 1, delivery });
      expect(await deliveryOf(1)).toBe("read");
    });

    it.each([
      ["delivered", "failed"],
      ["failed", "delivered"],
    ] as const)("should end as failed after %s, %s", async (first, second) => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("u1")] }));
      await amend({ seq: 1, delivery: first });
      await amend({ seq: 1, delivery: second });
      expect(await deliveryOf(1)).toBe("failed");
    });

    it("should keep the mark of a possible repeat when only the delivery changes", async () => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("u1")] }));
      await amend({ seq: 1, isPossiblyDuplicated: true });
      await amend({ seq: 1, delivery: "read" });
      expect((await test.store.readEntries("demo/a", { after: 0, limit: 1 }))[0]).toMatchObject({
        delivery: "read",
        isPossiblyDuplicated: true,
      });
    });

    it("should leave out an entry that is not there, and carry out the rest of the commit", async () => {
      const { store } = test;
      const commit = commitTo("demo/a", {
        append: [newEntry("u1")],
        amend: [
          { seq: 9, delivery: "read" },
          { seq: 1, delivery: "read" },
        ],
      });
      expect(await committed(store, commit)).toMatchObject({ seqs: [1] });
      expect(await store.readEntries("demo/a", { after: 0, limit: 10 })).toHaveLength(1);
      expect(await deliveryOf(1)).toBe("read");
    });

    it("should not amend anything by a commit that is refused", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [newEntry("u1")] }));
      const amendments = [{ seq: 1, delivery: "read" }] as const;
      expect(await store.commit({ conversation: "demo/a", amend: amendments, expectVersion: 7 })).toEqual({ status: "conflict" });
      expect(await store.commit({ conversation: "demo/a", amend: amendments, fence: 1 })).toEqual({ status: "fenced" });
      expect(await deliveryOf(1)).toBeUndefined();
    });

    it("should take a message for the same one after it was amended", async () => {
      await committed(test.store, commitTo("demo/a", { append: [newEntry("u1")] }));
      await amend({ seq: 1, delivery: "read" });
      expect(await committed(test.store, { conversation: "demo/a", append: [newEntry("u1")] })).toMatchObject({ seqs: [1], added: 0 });
      expect(await deliveryOf(1)).toBe("read");
    });
  });
}
