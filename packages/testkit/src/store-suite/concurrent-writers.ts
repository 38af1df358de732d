import { describe, expect, it } from "vitest";
import { commitTo, committed, newEntry, newHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Many writers at once do not overwrite each other. */
export function describeConcurrentWriters(options: StoreSuiteOptions): void {
  describe("concurrent writers", () => {
    const test = useStore(options);

    it("should make one conversation of many first messages [F029]", async () => {
      const stores = await test.two();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          committed(stores[index % 2] ?? test.store, commitTo("demo/a", { append: [newEntry(`${index}`)] })),
        ),
      );
      const given = results.flatMap(({ seqs }) => seqs);
      expect([...given].sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(await test.store.readConversation("demo/a")).toMatchObject({ lastSeq: 20, version: 0 });
    });

    it("should let one of ten starts at the same time through [F042 store part]", async () => {
      const stores = await test.two();
      await committed(test.store, commitTo("demo/a", { append: [newEntry("1")] }));
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (stores[index % 2] ?? test.store).commit({
            conversation: "demo/a",
            expectVersion: 0,
            update: { currentHandover: `h${index}`, handoverCount: 1 },
            handovers: [newHandover(`h${index}`, "demo/a")],
          }),
        ),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(["committed", ...Array<string>(9).fill("conflict")]);
      const open = await test.store.readOpenHandovers("demo/a");
      expect(open).toHaveLength(1);
      expect(await test.store.readConversation("demo/a")).toMatchObject({ currentHandover: open[0]?.id, version: 1 });
    });

    it("should keep a hundred starts of a hundred conversations apart [F159 store part]", async () => {
      const stores = await test.two();
      const keys = Array.from({ length: 100 }, (_, index) => `demo/${index}`);
      await Promise.all(
        keys.map((key, index) =>
          committed(
            stores[index % 2] ?? test.store,
            commitTo(key, { handovers: [newHandover(`of-${key}`, key)], update: { currentHandover: `of-${key}` } }),
          ),
        ),
      );
      for (const key of keys) expect(await test.store.readConversation(key)).toMatchObject({ currentHandover: `of-${key}`, version: 1 });
      expect(await test.store.listOpenHandovers({ limit: 1000 })).toHaveLength(100);
    });

    it("should keep the order of a writer that does not wait, and leave no holes [F030 store part]", async () => {
      const { store } = test;
      const writes = Array.from({ length: 400 }, (_, index) =>
        committed(store, commitTo(`demo/${index % 4}`, { append: [newEntry(`${index}`)] })),
      );
      await Promise.all(writes);
      for (let conversation = 0; conversation < 4; conversation += 1) {
        const entries = await store.readEntries(`demo/${conversation}`, { after: 0, limit: 1000 });
        expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
        expect(entries.map(({ id }) => Number(id))).toEqual(Array.from({ length: 100 }, (_, index) => index * 4 + conversation));
      }
    });

    it("should never let a follower skip: no number is seen before a lower one", async () => {
      const stores = await test.two();
      const [, reader] = stores;
      const count = 120;
      const seen: number[] = [];
      const follow = async (): Promise<void> => {
        while (seen.length < count) {
          const page = await reader.readEntries("demo/a", { after: seen.at(-1) ?? 0, limit: 10 });
          seen.push(...page.map(({ seq }) => seq));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const writes = Array.from({ length: count }, (_, index) =>
        committed(stores[index % 2] ?? test.store, commitTo("demo/a", { append: [newEntry(`${index}`)] })),
      );
      await Promise.all([follow(), ...writes]);
      expect(seen).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    });

    it("should show every reader what has resolved [F155 store part]", async () => {
      const [first, second] = await test.two();
      for (let count = 1; count <= 20; count += 1) {
        const [writer, reader] = count % 2 === 0 ? [first, second] : [second, first];
        await committed(writer, commitTo("demo/a", { append: [newEntry(`${count}`)], update: { botThrough: count } }));
        expect(await reader.readConversation("demo/a")).toMatchObject({ lastSeq: count, botThrough: count, version: count });
        expect(await reader.readEntries("demo/a", { after: count - 1, limit: 5 })).toHaveLength(1);
      }
    });
  });
}
