import type { HandoverRecord, PartRecord } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { account, commitTo, committed, newAttempt, newHandover, newPart } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

function surveyOf(status: "pending" | "taken"): NonNullable<HandoverRecord["surveys"]>[number] {
  const submission = { status, calls: 0, firstAtMs: 1, nextTryAtMs: 1 };
  return { survey: { id: "s", questions: [] }, attempt: 1, connection: "desk", entry: "e", answers: { score: 5 }, submission };
}

/** Handovers and the parts that are on their way to the desk. */
export function describeHandoverRecords(options: StoreSuiteOptions): void {
  describe("handovers and parts", () => {
    const test = useStore(options);

    it("should give a handover back as it was put, and replace it", async () => {
      const { store } = test;
      const handover = newHandover("h1", "demo/a", {
        options: { desk: { queueId: "0101", inboxId: "9007199254740993", tags: ["a", null, { deep: true }] } },
        attempt: newAttempt({ state: { provider: "test-desk", specificationVersion: "v1", version: 2, data: { cursor: null } } }),
        acceptBeforeMs: 5,
      });
      await committed(store, commitTo("demo/a", { handovers: [handover] }));
      expect(await store.readHandover("h1")).toEqual(handover);
      const active: HandoverRecord = { ...handover, status: "active", shownStatus: "active", agents: [{ id: "7" }] };
      await committed(store, { conversation: "demo/a", handovers: [active] });
      expect(await store.readHandover("h1")).toEqual(active);
      expect(await store.readHandover("h2")).toBeUndefined();
    });

    it("should list handovers as open until they have ended, nothing is left at a vendor and no answers of a survey are on their way [F064 store part]", async () => {
      const { store } = test;
      const over = newAttempt({ phase: "over" });
      const handovers: readonly [string, Partial<HandoverRecord>][] = [
        ["1-ended", { status: "ended", attempt: over }],
        ["2-leaves-a-former-attempt", { status: "ended", attempt: over, leaving: [newAttempt({ phase: "leaving" })] }],
        ["3-last-attempt-not-over", { status: "ended", attempt: newAttempt({ phase: "leaving" }) }],
        ["4-ending", { status: "ending", attempt: over }],
        ["5-active", { status: "active" }],
        ["6-survey-on-its-way", { status: "ended", attempt: over, surveys: [surveyOf("pending")] }],
      ];
      for (const [index, [id, change]] of handovers.entries()) {
        await committed(store, commitTo("demo/a", { handovers: [newHandover(id, "demo/a", { ...change, ordinal: index + 1 })] }));
      }
      const open = handovers.slice(1).map(([id]) => id);
      expect((await store.readOpenHandovers("demo/a")).map(({ id }) => id)).toEqual(open);
      expect((await store.listOpenHandovers({ limit: 10 })).map(({ id }) => id)).toEqual(open);
      await committed(store, {
        conversation: "demo/a",
        handovers: [newHandover("5-active", "demo/a", { status: "ended", attempt: over })],
      });
      expect((await store.readOpenHandovers("demo/a")).map(({ id }) => id)).toEqual(open.filter((id) => id !== "5-active"));
      await committed(store, {
        conversation: "demo/a",
        handovers: [newHandover("6-survey-on-its-way", "demo/a", { status: "ended", attempt: over, surveys: [surveyOf("taken")] })],
      });
      expect((await store.readOpenHandovers("demo/a")).map(({ id }) => id)).toEqual(open.slice(0, 3));
    });

    it("should list open handovers of all conversations page by page", async () => {
      const { store } = test;
      const ids = Array.from({ length: 7 }, (_, index) => `h${index}`);
      for (const id of [...ids].reverse()) {
        await committed(store, commitTo(`demo/${id}`, { handovers: [newHandover(id, `demo/${id}`)] }));
      }
      const seen: string[] = [];
      while (seen.length <= ids.length) {
        const after = seen.at(-1);
        const page = await store.listOpenHandovers({ ...(after === undefined ? {} : { after }), limit: 3 });
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(3);
        seen.push(...page.map(({ id }) => id));
      }
      expect(seen).toEqual(ids);
    });

    it("should keep the handovers of a conversation apart [F055 store part]", async () => {
      const { store } = test;
      for (const ordinal of [1, 2, 3]) {
        const id = `h${ordinal}`;
        await committed(
          store,
          commitTo("demo/a", {
            handovers: [newHandover(id, "demo/a", { ordinal })],
            parts: [newPart(id, 1)],
            references: [{ accountKey: account, handover: id, references: [`conversation:${ordinal}`] }],
          }),
        );
      }
      for (const ordinal of [1, 2, 3]) {
        expect(await store.findHandover(account, [`conversation:${ordinal}`])).toMatchObject({ id: `h${ordinal}`, ordinal });
        expect((await store.readOpenParts(`h${ordinal}`, 1)).map(({ handover }) => handover)).toEqual([`h${ordinal}`]);
      }
    });

    it("should read open parts of one attempt in the order in which they were planned", async () => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")] }));
      // The user wrote entry 9 before the transcript (3, 4) was planned for the second attempt.
      await committed(store, { conversation: "demo/a", parts: [newPart("h1", 9)] });
      const transcript = [
        newPart("h1", 3, { attempt: 2 }),
        newPart("h1", 4, { attempt: 2, index: 0 }),
        newPart("h1", 4, { attempt: 2, index: 1 }),
      ];
      await committed(store, { conversation: "demo/a", parts: [...transcript, newPart("h1", 9, { attempt: 2 })] });
      await committed(store, { conversation: "demo/a", parts: [newPart("h1", 2, { attempt: 2 })] });
      await committed(store, { conversation: "demo/a", parts: [{ ...newPart("h1", 3, { attempt: 2 }), status: "unclear", calls: 1 }] });
      expect((await store.readOpenParts("h1", 2)).map(position)).toEqual(["3.0", "4.0", "4.1", "9.0", "2.0"]);
      expect((await store.readOpenParts("h1", 1)).map(position)).toEqual(["9.0"]);
    });

    it.each(["planned", "sending", "unclear"] as const)("should count a part as open while it is %s", async (status) => {
      const { store } = test;
      const parts = [newPart("h1", 1, { status })];
      await committed(store, commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")], parts }));
      expect(await store.readOpenParts("h1", 1)).toEqual(parts);
    });

    it.each(["sent", "failed"] as const)("should not count a part as open that is %s, but still find it", async (status) => {
      const { store } = test;
      await committed(store, commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")], parts: [newPart("h1", 1)] }));
      const part = newPart("h1", 1, { status, vendorMessageId: "0101" });
      await committed(store, { conversation: "demo/a", parts: [part] });
      expect(await store.readOpenParts("h1", 1)).toEqual([]);
      expect(await store.readParts("h1", 1, 1)).toEqual([part]);
      expect(await store.findPart("h1", { key: part.key })).toEqual(part);
      expect(await store.findPart("h1", { vendorMessageId: "0101" })).toEqual(part);
      expect(await store.findPart("h1", { vendorMessageId: "101" })).toBeUndefined();
      expect(await store.findPart("h2", { key: part.key })).toBeUndefined();
      expect(await store.findPart("h1", {})).toBeUndefined();
    });

    it("should read all parts of one entry in their order", async () => {
      const { store } = test;
      const parts = [newPart("h1", 1, { index: 1, status: "sent" }), newPart("h1", 1, { index: 0 }), newPart("h1", 2)];
      await committed(store, commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")], parts }));
      expect((await store.readParts("h1", 1, 1)).map(position)).toEqual(["1.0", "1.1"]);
    });

    it("should refuse a second part with the key of another", async () => {
      const { store } = test;
      const parts = [newPart("h1", 1), newPart("h1", 2, { key: newPart("h1", 1).key })];
      await expect(store.commit(commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")], parts }))).rejects.toMatchObject({
        code: "STORE_FAILED",
      });
      expect(await store.readHandover("h1")).toBeUndefined();
    });
  });
}

function position({ seq, index }: PartRecord): string {
  return `${seq}.${index}`;
}
