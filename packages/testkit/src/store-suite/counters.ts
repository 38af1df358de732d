import type { Commit } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { commitTo, committed, newDelivery, newEntry, newHandover, newJournalItem, newPart, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** `version` says that records changed, `activity` that somebody has something to do. */
export function describeCounters(options: StoreSuiteOptions): void {
  describe("version and activity", () => {
    const test = useStore(options);

    /** How much both go up with a commit to a conversation that has a handover, an entry and a delivery. */
    async function stepsOf(change: Partial<Commit>): Promise<{ version: number; activity: number }> {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await committed(store, {
        conversation: "demo/a",
        append: [newEntry("known")],
        deliveries: [newDelivery("known", ["conversation:1"])],
      });
      const before = await store.readConversation("demo/a");
      const result = await committed(store, { conversation: "demo/a", ...change });
      const after = await store.readConversation("demo/a");
      expect(result.version).toBe(after?.version);
      return {
        version: (after?.version ?? 0) - (before?.version ?? 0),
        activity: (after?.activity ?? 0) - (before?.activity ?? 0),
      };
    }

    const handover = newHandover("handover-of-demo/a", "demo/a");
    const part = newPart(handover.id, 1);
    const cases: readonly [string, Partial<Commit>, { version: number; activity: number }][] = [
      ["nothing", {}, { version: 0, activity: 0 }],
      ["empty lists", { append: [], update: {}, handovers: [], parts: [], consume: [], deliveries: [] }, { version: 0, activity: 0 }],
      ["entries", { append: [newEntry("1"), newEntry("2")] }, { version: 0, activity: 1 }],
      ["a repeated entry", { append: [newEntry("known")] }, { version: 0, activity: 0 }],
      [
        "deliveries",
        { deliveries: [newDelivery("1", ["conversation:1"]), newDelivery("2", ["conversation:1"])] },
        { version: 0, activity: 1 },
      ],
      ["a repeated delivery", { deliveries: [newDelivery("known", ["conversation:1"])] }, { version: 0, activity: 0 }],
      ["a parked delivery", { deliveries: [newDelivery("1", ["conversation:9"])] }, { version: 0, activity: 0 }],
      ["the journal", { journal: [newJournalItem()] }, { version: 0, activity: 0 }],
      ["an update", { update: { botThrough: 1 } }, { version: 1, activity: 0 }],
      ["a handover", { handovers: [handover] }, { version: 1, activity: 1 }],
      ["parts", { parts: [part, newPart(handover.id, 2)] }, { version: 1, activity: 0 }],
      [
        "all at once",
        { append: [newEntry("1")], update: { botThrough: 1 }, handovers: [handover], parts: [part] },
        { version: 1, activity: 1 },
      ],
    ];
    it.each(cases)("should count a commit of %s", async (_name, change, steps) => {
      expect(await stepsOf(change)).toEqual(steps);
    });

    it("should count a delivery that is consumed once, and not a second time", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery("m1", ["conversation:1"]), newDelivery(undefined, ["conversation:1"])]);
      const consume = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
      expect(consume).toHaveLength(2);
      expect(await committed(store, { conversation: "demo/a", consume })).toMatchObject({ version: 2 });
      expect(await committed(store, { conversation: "demo/a", consume })).toMatchObject({ version: 2 });
    });

    it("should raise the activity of every conversation that a request has something for, once", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await startHandover(store, "demo/b", ["conversation:2"]);
      const deliveries = [newDelivery("1", ["conversation:1"]), newDelivery("2", ["conversation:2"]), newDelivery("3", ["conversation:1"])];
      const before = await store.readConversation("demo/a");
      expect([...(await store.receive(deliveries)).conversations].sort()).toEqual(["demo/a", "demo/b"]);
      expect((await store.receive(deliveries)).conversations).toEqual([]);
      expect(await store.readConversation("demo/a")).toMatchObject({ activity: (before?.activity ?? 0) + 1, version: before?.version });
      expect(await store.readConversation("demo/b")).toMatchObject({ activity: (before?.activity ?? 0) + 1 });
    });

    it("should raise the activity of a conversation that gets a delivery through another one's commit", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      const before = await store.readConversation("demo/a");
      await committed(store, commitTo("demo/b", { deliveries: [newDelivery("m1", ["conversation:1"])] }));
      expect(await store.readConversation("demo/a")).toMatchObject({ activity: (before?.activity ?? 0) + 1 });
    });

    it("should take values away that are set to null, and keep what is left out", async () => {
      const { store } = test;
      const botRetry = { attempts: 2, firstAtMs: 5, nextAtMs: 9 };
      await committed(store, commitTo("demo/a", { update: { currentHandover: "h1", lastHandover: "h0", botRetry, botThrough: 3 } }));
      expect(await store.readConversation("demo/a")).toMatchObject({ currentHandover: "h1", lastHandover: "h0", botRetry, botThrough: 3 });
      await committed(store, { conversation: "demo/a", update: { currentHandover: null, botRetry: null } });
      expect(await store.readConversation("demo/a")).toEqual({
        key: "demo/a",
        endpoint: "demo",
        conversation: "demo/a",
        version: 2,
        activity: 0,
        lastSeq: 0,
        botThrough: 3,
        pushedThrough: 0,
        handoverCount: 0,
        lastHandover: "h0",
      });
    });
  });
}
