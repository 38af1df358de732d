import type { NewEntry, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { newBlob, pieces } from "./blobs.ts";
import { canary, fillWithCanaries } from "./canary.ts";
import { commitTo, committed, newEntry, newHandover, readAll, someTimeMs } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

const dayMs = 86_400_000;

/** Content that is old goes as if somebody had erased it. */
export function describeRetention(options: StoreSuiteOptions): void {
  describe("retention", () => {
    const test = useStore(options);

    it("should take what is older, and keep what is not [F127 expired records]", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [-3, -2, 0, 1].map(entryOfDay), update: { user: { id: "0101" } } }));
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 10 })).toBe(1);
      expect(await erasedSeqs(store, "demo/a")).toEqual([1, 2]);
      expect(await store.readConversation("demo/a")).toMatchObject({ lastSeq: 4, user: { id: "0101" } });
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 10 })).toBe(0);
      expect(await store.eraseDue({ beforeMs: someTimeMs + 1, limit: 10 })).toBe(1);
      expect(await erasedSeqs(store, "demo/a")).toEqual([1, 2, 3]);
      expect(await store.eraseDue({ beforeMs: someTimeMs + 2 * dayMs, limit: 10 })).toBe(1);
      expect(await erasedSeqs(store, "demo/a")).toEqual([1, 2, 3, 4]);
      expect((await store.readConversation("demo/a"))?.user).toBeUndefined();
    });

    it("should take everything that belongs to what is old", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await fillWithCanaries(store, "demo/b");
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 10 })).toBe(0);
      expect(await store.eraseDue({ beforeMs: someTimeMs + dayMs, limit: 10 })).toBe(2);
      expect(await test.contains(canary)).toBe(false);
      expect(await store.readEntries("demo/a", { after: 0, limit: 1 })).toMatchObject([{ seq: 1, isErased: true }]);
    });

    it("should keep a handover whose end is young, with what belongs to it", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { append: [entryOfDay(-3), entryOfDay(1)] }));
      const ended = { seq: 2, atMs: someTimeMs + dayMs, reason: "completed", actor: "agent", takesThrough: 2, undelivered: [] } as const;
      const attempt = { ...newHandover("h1", "demo/a").attempt, phase: "over" } as const;
      const handover = newHandover("h1", "demo/a", { status: "ended", ended, attempt, summary: "kept" });
      await committed(store, { conversation: "demo/a", handovers: [handover] });
      await store.eraseDue({ beforeMs: someTimeMs, limit: 10 });
      expect(await erasedSeqs(store, "demo/a")).toEqual([1]);
      expect(await store.readHandover("h1")).toEqual(handover);
    });

    it("should leave a conversation with an open handover as it is", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a", { isOpen: true });
      const before = await readAll(store, "demo/a");
      expect(await store.eraseDue({ beforeMs: someTimeMs + dayMs, limit: 10 })).toBe(0);
      expect(await readAll(store, "demo/a")).toEqual(before);
      expect((await store.readBlob("demo/a", "f1"))?.blob.sizeBytes).toBe(300_000);
    });

    it("should not wait for an open handover that is older than others", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/open", { append: [entryOfDay(-9)], handovers: [newHandover("h1", "demo/open")] }));
      await committed(store, commitTo("demo/a", { append: [entryOfDay(-3)] }));
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 1 })).toBe(1);
      expect(await erasedSeqs(store, "demo/a")).toEqual([1]);
    });

    it("should deal with as many conversations as it is asked to, the oldest first", async () => {
      const { store } = test;
      for (const day of [-1, -3, -2]) await committed(store, commitTo(`demo/${day}`, { append: [entryOfDay(day)] }));
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 2 })).toBe(2);
      expect(await erasedSeqs(store, "demo/-3")).toEqual([1]);
      expect(await erasedSeqs(store, "demo/-2")).toEqual([1]);
      expect(await erasedSeqs(store, "demo/-1")).toEqual([]);
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 2 })).toBe(1);
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 2 })).toBe(0);
    });

    it("should take a log of many pages", async () => {
      const { store } = test;
      await committed(
        store,
        commitTo("demo/a", { append: Array.from({ length: 1000 }, (_, index) => ({ ...entryOfDay(-3), id: `${index}` })) }),
      );
      await committed(store, { conversation: "demo/a", append: [entryOfDay(1)] });
      await store.eraseDue({ beforeMs: someTimeMs, limit: 1 });
      expect((await erasedSeqs(store, "demo/a")).length).toBe(1000);
    });

    it("should take what was learned late for as old as what stands before it", async () => {
      const { store } = test;
      const late = { isLate: true as const, at: new Date(someTimeMs + 900 * dayMs).toISOString() };
      const tooEarly = { isLate: true as const, at: new Date(0).toISOString() };
      const entries = [entryOfDay(-3), { ...entryOfDay(-2), ...late }, entryOfDay(1), { ...entryOfDay(2), ...tooEarly }];
      await committed(store, commitTo("demo/a", { append: entries }));
      await store.eraseDue({ beforeMs: someTimeMs, limit: 1 });
      expect(await erasedSeqs(store, "demo/a")).toEqual([1, 2]);
    });

    it("should count files that nobody sent as content", async () => {
      const { store } = test;
      const limits = { maximumBytes: 1000 };
      await store.putBlob(newBlob("old", { createdAtMs: someTimeMs - dayMs }), pieces(Buffer.from("old")), limits);
      await store.putBlob(newBlob("young"), pieces(Buffer.from("young")), limits);
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 10 })).toBe(1);
      expect(await store.eraseDue({ beforeMs: someTimeMs, limit: 10 })).toBe(0);
      expect(await store.readBlob("demo/a", "old")).toBeUndefined();
      expect(await store.readBlob("demo/a", "young")).toBeDefined();
    });
  });
}

function entryOfDay(day: number): NewEntry {
  return newEntry(`day ${day}`, { at: new Date(someTimeMs + day * dayMs).toISOString() });
}

async function erasedSeqs(store: Store, key: string): Promise<readonly number[]> {
  const entries = await store.readEntries(key, { after: 0, limit: 2000 });
  return entries.filter(({ isErased }) => isErased).map(({ seq }) => seq);
}
