import { describe, expect, it } from "vitest";
import { account, commitTo, committed, inboxIds, newDelivery, newHandover, someTimeMs, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Deliveries that come before anybody knows whose they are. */
export function describeParking(options: StoreSuiteOptions): void {
  describe("parking", () => {
    const test = useStore(options);

    it("should give parked deliveries to the handover that names their reference, in the order of arrival [F041 store part]", async () => {
      const { store } = test;
      expect(
        await store.receive([
          newDelivery("joined", ["conversation:1"]),
          newDelivery("m1", ["conversation:7", "source:x"]),
          newDelivery("other", ["conversation:2"]),
        ]),
      ).toEqual({ conversations: [], added: 0, repeated: 0, parked: 3 });
      await store.receive([newDelivery("m2", ["conversation:1"])]);
      const handover = await startHandover(store, "demo/a", ["source:x", "conversation:1"]);
      await store.receive([newDelivery("m3", ["conversation:1"])]);
      expect(await inboxIds(store, "demo/a")).toEqual(["joined", "m1", "m2", "m3"]);
      expect((await store.readInbox("demo/a", 10)).every((record) => record.handover === handover)).toBe(true);
    });

    it("should give something to do to the conversation that gets parked deliveries", async () => {
      const { store } = test;
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      await committed(store, commitTo("demo/a", { handovers: [newHandover("h1", "demo/a")] }));
      const before = await store.readConversation("demo/a");
      const references = [{ accountKey: account, handover: "h1", references: ["conversation:1"] }];
      await committed(store, { conversation: "demo/a", references });
      expect(await store.readConversation("demo/a")).toMatchObject({
        activity: (before?.activity ?? 0) + 1,
        version: before?.version,
      });
    });

    it("should go by the first known reference of a parked delivery too", async () => {
      const { store } = test;
      await store.receive([newDelivery("m1", ["conversation:2", "consumer:x"])]);
      await committed(
        store,
        commitTo("demo/a", {
          handovers: [newHandover("h1", "demo/a"), newHandover("h2", "demo/a", { ordinal: 2 })],
          references: [
            { accountKey: account, handover: "h1", references: ["consumer:x"] },
            { accountKey: account, handover: "h2", references: ["conversation:2"] },
          ],
        }),
      );
      expect((await store.readInbox("demo/a", 10)).map(({ id, handover }) => [id, handover])).toEqual([["m1", "h2"]]);
    });

    it("should not give a parked delivery to the same reference of another account [F087 store part]", async () => {
      const { store } = test;
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      await startHandover(store, "demo/a", ["conversation:1"], "https://other.example|7");
      expect(await inboxIds(store, "demo/a")).toEqual([]);
      await startHandover(store, "demo/b", ["conversation:1"]);
      expect(await inboxIds(store, "demo/b")).toEqual(["m1"]);
    });

    it("should recognise a repeat of a parked delivery, before and after it found its handover", async () => {
      const { store } = test;
      const delivery = newDelivery("m1", ["conversation:1"]);
      expect(await store.receive([delivery])).toMatchObject({ parked: 1 });
      expect(await store.receive([delivery])).toMatchObject({ parked: 0, repeated: 1 });
      await startHandover(store, "demo/a", ["conversation:1"]);
      expect(await store.receive([delivery])).toMatchObject({ added: 0, repeated: 1 });
      expect(await inboxIds(store, "demo/a")).toEqual(["m1"]);
    });

    it("should find the handover of fetched deliveries in the same commit", async () => {
      const { store } = test;
      const result = await committed(
        store,
        commitTo("demo/a", {
          handovers: [newHandover("h1", "demo/a")],
          references: [{ accountKey: account, handover: "h1", references: ["conversation:1"] }],
          deliveries: [newDelivery("m1", ["conversation:1"]), newDelivery("m2", ["conversation:9"])],
        }),
      );
      expect(result).toMatchObject({ deliveriesAdded: 2 });
      expect(await inboxIds(store, "demo/a")).toEqual(["m1"]);
    });

    it("should forget parked deliveries that are too old, and name them without their content", async () => {
      const { store } = test;
      const known = ["conversation:1"];
      await startHandover(store, "demo/a", known);
      await store.receive([
        newDelivery("old", ["conversation:8", "source:y"], { receivedAtMs: someTimeMs - 2 }),
        newDelivery("older", ["conversation:9"], { receivedAtMs: someTimeMs - 3 }),
        newDelivery("new", ["conversation:8"]),
        newDelivery("known", known, { receivedAtMs: someTimeMs - 9 }),
      ]);
      const expired = await store.expireParked(someTimeMs - 1);
      expect(expired).toHaveLength(2);
      expect(expired).toEqual(
        expect.arrayContaining([
          { connection: "desk", references: ["conversation:8", "source:y"] },
          { connection: "desk", references: ["conversation:9"] },
        ]),
      );
      expect(await store.expireParked(someTimeMs - 1)).toEqual([]);
      await startHandover(store, "demo/b", ["conversation:8", "conversation:9"]);
      expect(await inboxIds(store, "demo/b")).toEqual(["new"]);
      expect(await inboxIds(store, "demo/a")).toEqual(["known"]);
      expect(await store.receive([newDelivery("old", ["conversation:8"])])).toMatchObject({ added: 1 });
    });

    it("should park a delivery without any reference until it expires", async () => {
      const { store } = test;
      expect(await store.receive([newDelivery("m1", [])])).toMatchObject({ parked: 1 });
      expect(await store.expireParked(someTimeMs + 1)).toEqual([{ connection: "desk", references: [] }]);
    });
  });
}
