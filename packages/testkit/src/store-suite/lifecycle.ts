import { describe, expect, it } from "vitest";
import { commitTo, newEntry, newJournalItem, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Opening, checking and closing. */
export function describeLifecycle(options: StoreSuiteOptions): void {
  describe("lifecycle", () => {
    const test = useStore(options);

    it("should say that it can be written to", async () => {
      await expect(test.store.check()).resolves.toBeUndefined();
      await expect(test.store.note([newJournalItem()])).resolves.toBeUndefined();
    });

    it("should finish what is under way when it is closed", async () => {
      const { store } = test;
      const writes = Array.from({ length: 700 }, (_, index) => store.commit(commitTo("demo/a", { append: [newEntry(`${index}`)] })));
      await store.close();
      expect((await Promise.all(writes)).every(({ status }) => status === "committed")).toBe(true);
      const reopened = await test.reopen();
      expect(await reopened.readConversation("demo/a")).toMatchObject({ lastSeq: 700 });
    });

    it("should refuse everything when it is closed, and can be closed again", async () => {
      const { store } = test;
      await store.close();
      await store.close();
      await expect(store.commit(commitTo("demo/a"))).rejects.toMatchObject({ code: "STORE_FAILED" });
      await expect(store.readConversation("demo/a")).rejects.toMatchObject({ code: "STORE_FAILED" });
      await expect(store.check()).rejects.toMatchObject({ code: "STORE_FAILED" });
    });

    it("should be used by one instance at a time, unless it is shared", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      const { rival, another } = test.opened;
      if (!rival) return expect([store.isShared, another], "a store that is not shared has a rival").toEqual([true, expect.any(Function)]);
      const second = rival();
      await expect(second.open()).rejects.toMatchObject({ code: "STORE_IN_USE" });
      await expect(second.readOpenHandovers("demo/a")).rejects.toMatchObject({ code: "STORE_FAILED" });
      expect(await store.commit(commitTo("demo/a", { append: [newEntry("1")] }))).toMatchObject({ seqs: [1] });
      await store.close();
      await second.open();
      expect(await second.readConversation("demo/a")).toMatchObject({ lastSeq: 1 });
      await expect(store.open()).rejects.toMatchObject({ code: "STORE_IN_USE" });
    });

    it("should open again after it was closed, and not mind being opened twice", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.open();
      await store.close();
      await store.open();
      expect(await store.readOpenHandovers("demo/a")).toHaveLength(1);
    });
  });
}
