import { entryFor } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { canary, fillWithCanaries } from "./canary.ts";
import { account, commitTo, committed, newAttempt, newDelivery, newEntry, newHandover, readAll } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Content goes, and with it whatever could bring it back; what keeps numbers and repeats apart stays. */
export function describeErasure(options: StoreSuiteOptions): void {
  describe("erasure", () => {
    const test = useStore(options);

    it("should leave no byte of a conversation's content [F127 store part]", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      if (test.opened.contains) expect(await test.contains(canary)).toBe(true);
      expect(await store.erase("demo/a")).toBe("erased");
      expect(await test.contains(canary)).toBe(false);
      expect(JSON.stringify(await readAll(store, "demo/a"))).not.toContain(canary);
      expect(JSON.stringify(await store.readHandover("handover-of-demo/a"))).not.toContain(canary);
      expect(JSON.stringify(await store.readParts("handover-of-demo/a", 1, 1))).not.toContain(canary);
      expect(await store.readBlob("demo/a", "f1")).toBeUndefined();
      await test.reopen();
      expect(await test.contains(canary)).toBe(false);
    });

    it("should show nobody an entry that was erased, and keep its number", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await store.erase("demo/a");
      const entries = await store.readEntries("demo/a", { after: 0, limit: 10 });
      expect(entries.map(({ seq, id, kind, isErased }) => [seq, id, kind, isErased])).toEqual([
        [1, "u1", "message", true],
        [2, "u2", "message", true],
        [3, "b1", "message", true],
        [4, "h1", "handover", true],
      ]);
      for (const reader of ["user", "bot", "desk"] as const) {
        expect(entries.map((entry) => entryFor(entry, reader))).toEqual([1, 2, 3, 4].map((seq) => ({ seq, kind: "hidden" })));
      }
    });

    it("should still know numbers, messages, deliveries, vendor ids and the end of the handover", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      const before = await store.readConversation("demo/a");
      await store.erase("demo/a");
      const { user: _user, ...rest } = before ?? { user: undefined };
      const after = await store.readConversation("demo/a");
      expect(after).toEqual({ ...rest, version: after?.version });
      expect(after?.version).toBeGreaterThan(before?.version ?? Infinity);
      expect(await committed(store, { conversation: "demo/a", append: [newEntry("u1"), newEntry("u9")] })).toMatchObject({ seqs: [1, 5] });
      expect(await store.findEntry("demo/a", "user", "u1")).toMatchObject({ seq: 1, isErased: true });
      const known = [newDelivery("consumed-demo/a", ["conversation:x"]), newDelivery("waiting-demo/a", ["conversation:x"])];
      expect(await store.receive(known)).toMatchObject({ repeated: 2, parked: 0 });
      expect(await store.readHandover("handover-of-demo/a")).toMatchObject({
        status: "ended",
        ordinal: 1,
        ended: { seq: 4, undelivered: [2] },
      });
      expect(await store.findPart("handover-of-demo/a", { vendorMessageId: "m1" })).toMatchObject({ seq: 1, status: "sent" });
      expect(await store.readInbox("demo/a", 10)).toEqual([]);
    });

    it("should forget the vendor's addresses of the user [F127 mappings]", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await store.erase("demo/a");
      expect(await store.findHandover(account, ["conversation:demo/a"])).toBeUndefined();
      expect(await store.receive([newDelivery("new", ["conversation:demo/a"])])).toMatchObject({ added: 0, parked: 1 });
    });

    it("should take nothing of others [F127 other users]", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await fillWithCanaries(store, "demo/b");
      const before = await readAll(store, "demo/b");
      const parts = await store.readParts("handover-of-demo/b", 1, 1);
      await store.erase("demo/a");
      expect(await readAll(store, "demo/b")).toEqual(before);
      expect(await store.readHandover("handover-of-demo/b")).toMatchObject({ summary: `said ${canary}` });
      expect(await store.readParts("handover-of-demo/b", 1, 1)).toEqual(parts);
      expect(await store.findHandover(account, ["conversation:demo/b"])).toBeDefined();
      expect((await store.readBlob("demo/b", "f1"))?.blob.sizeBytes).toBe(300_000);
    });

    it("should be able to erase twice, and what is not there", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await store.erase("demo/a");
      const before = await readAll(store, "demo/a");
      expect(await store.erase("demo/a")).toBe("erased");
      const after = await readAll(store, "demo/a");
      expect(after).toEqual({ ...before, conversation: { ...before.conversation, version: after.conversation?.version } });
      expect(await store.erase("demo/unknown")).toBe("erased");
      expect(await store.readConversation("demo/unknown")).toBeUndefined();
    });

    it("should take what was said since", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      await store.erase("demo/a");
      await committed(store, { conversation: "demo/a", append: [newEntry("u9", { text: canary })], update: { user: { id: canary } } });
      expect((await store.readEntries("demo/a", { after: 4, limit: 1 }))[0]?.text).toBe(canary);
      await store.erase("demo/a");
      expect(await store.readEntries("demo/a", { after: 4, limit: 1 })).toMatchObject([{ seq: 5, isErased: true }]);
      expect(await test.contains(canary)).toBe(false);
    });

    it("should make a change wrong that was worked out before", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a");
      const before = await store.readConversation("demo/a");
      const handover = await store.readHandover("handover-of-demo/a");
      await store.erase("demo/a");
      const late = { conversation: "demo/a", expectVersion: before?.version ?? 0, handovers: handover ? [handover] : [] };
      expect(await store.commit(late)).toEqual({ status: "conflict" });
      expect(await test.contains(canary)).toBe(false);
    });

    it("should wait for an open handover, and go on by itself when it is over", async () => {
      const { store } = test;
      await fillWithCanaries(store, "demo/a", { isOpen: true });
      const before = await readAll(store, "demo/a");
      expect(await store.erase("demo/a")).toBe("waiting");
      expect(await store.eraseDue({ limit: 10 })).toBe(0);
      expect(await readAll(store, "demo/a")).toEqual(before);
      const over = newHandover("handover-of-demo/a", "demo/a", { status: "ended", attempt: newAttempt({ phase: "over" }) });
      await committed(store, { conversation: "demo/a", handovers: [over] });
      const reopened = await test.reopen();
      expect(await reopened.eraseDue({ limit: 10 })).toBe(1);
      expect(await reopened.eraseDue({ limit: 10 })).toBe(0);
      expect(await test.contains(canary)).toBe(false);
      expect(await reopened.readEntries("demo/a", { after: 0, limit: 1 })).toMatchObject([{ seq: 1, isErased: true }]);
    });

    it("should go on where it was cut off", async () => {
      const { store } = test;
      const entries = Array.from({ length: 900 }, (_, index) => newEntry(`${index}`, { text: `${canary} ${index}` }));
      await fillWithCanaries(store, "demo/a");
      await committed(store, commitTo("demo/a", { append: entries }));
      const cutOff = store.erase("demo/a").catch(() => undefined);
      await store.close();
      await cutOff;
      const reopened = await test.reopen();
      expect(await reopened.erase("demo/a")).toBe("erased");
      expect(await test.contains(canary)).toBe(false);
      expect(await reopened.readConversation("demo/a")).toMatchObject({ lastSeq: 904 });
    });

    it("should lose nothing that is written meanwhile", async () => {
      const { store } = test;
      const [, other] = await test.two();
      await committed(store, commitTo("demo/a", { append: Array.from({ length: 450 }, (_, index) => newEntry(`${index}`)) }));
      const writes = Array.from({ length: 40 }, (_, index) =>
        committed(other, { conversation: "demo/a", append: [newEntry(`new ${index}`)], update: { botThrough: index } }),
      );
      const [result] = await Promise.all([store.erase("demo/a"), ...writes]);
      expect(result).toBe("erased");
      const entries = await store.readEntries("demo/a", { after: 0, limit: 1000 });
      expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 490 }, (_, index) => index + 1));
      expect(entries.slice(0, 450).every(({ isErased }) => isErased)).toBe(true);
    });

    it("should not undo a change that comes between", async () => {
      const { store } = test;
      const [, other] = await test.two();
      const over = { status: "ended", attempt: newAttempt({ phase: "over" }) } as const;
      const handovers = Array.from({ length: 60 }, (_, index) => newHandover(`h${index}`, "demo/a", { ...over, ordinal: index + 1 }));
      await committed(store, commitTo("demo/a", { append: [newEntry("u1")], handovers }));
      const changes = handovers.map((handover) =>
        committed(other, { conversation: "demo/a", handovers: [{ ...handover, wasActive: true }] }),
      );
      const [result] = await Promise.all([store.erase("demo/a"), ...changes]);
      expect(result).toBe("erased");
      const after = await Promise.all(handovers.map(({ id }) => store.readHandover(id)));
      expect(after.filter((handover) => !handover?.wasActive)).toEqual([]);
    });

    it("should delete the values of the scopes it is given, and of no other", async () => {
      const { store } = test;
      await store.writeMemory("user:desk:1", "contact", canary);
      await store.writeMemory("user:desk:1", "inbox", canary);
      for (const scope of ["user:desk:11", "user:desk:", "user:desk:1:1", "USER:desk:1"]) await store.writeMemory(scope, "contact", "kept");
      await store.writeMemory("user:desk:2", "contact", canary);
      await store.eraseMemory(["user:desk:1", "user:desk:2", "unknown"]);
      expect(await store.readMemory("user:desk:2", "contact")).toBeUndefined();
      expect(await store.readMemory("user:desk:1", "contact")).toBeUndefined();
      expect(await test.contains(canary)).toBe(false);
      for (const scope of ["user:desk:11", "user:desk:", "user:desk:1:1", "USER:desk:1"]) {
        expect(await store.readMemory(scope, "contact")).toBe("kept");
      }
      await expect(store.eraseMemory([])).resolves.toBeUndefined();
    });
  });
}
