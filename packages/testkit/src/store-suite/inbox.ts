import { describe, expect, it } from "vitest";
import { account, commitTo, committed, inboxIds, newDelivery, newHandover, startHandover } from "./records.ts";
import { useStore } from "./use-store.ts";
import type { StoreSuiteOptions } from "./use-store.ts";

/** Deliveries reach the right handover, each once. */
export function describeInbox(options: StoreSuiteOptions): void {
  describe("inbox", () => {
    const test = useStore(options);

    it("should give a delivery to the handover that its reference belongs to, as it came", async () => {
      const { store } = test;
      const handover = await startHandover(store, "demo/a", ["conversation:1", "source:x"]);
      const delivery = newDelivery("m1", ["source:x"], {
        order: { group: "messages", position: 4, dense: true },
        payload: { text: "hello", none: null, list: [1, "0101"] },
      });
      expect(await store.receive([delivery])).toEqual({ conversations: ["demo/a"], added: 1, repeated: 0, parked: 0 });
      const [record] = await store.readInbox("demo/a", 10);
      expect(record).toEqual({ ...delivery, handover, number: record?.number });
    });

    it("should read the inbox in the order of arrival, up to the limit", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      for (const id of ["c", "a", "b"]) await store.receive([newDelivery(id, ["conversation:1"])]);
      await store.receive([newDelivery("z", ["conversation:1"]), newDelivery("y", ["conversation:1"])]);
      expect(await inboxIds(store, "demo/a")).toEqual(["c", "a", "b", "z", "y"]);
      expect((await store.readInbox("demo/a", 2)).map(({ id }) => id)).toEqual(["c", "a"]);
      const numbers = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
      expect([...numbers].sort((one, other) => one - other)).toEqual(numbers);
    });

    it("should go by the first reference that is known [F087 store part]", async () => {
      const { store } = test;
      const first = await startHandover(store, "demo/a", ["conversation:1", "consumer:x"]);
      const second = await startHandover(store, "demo/b", ["conversation:2"]);
      await store.receive([newDelivery("m1", ["conversation:2", "consumer:x"]), newDelivery("m2", ["conversation:9", "consumer:x"])]);
      expect(await inboxIds(store, "demo/b")).toEqual(["m1"]);
      expect(await inboxIds(store, "demo/a")).toEqual(["m2"]);
      expect(await store.findHandover(account, ["conversation:2", "consumer:x"])).toMatchObject({ id: second });
      expect(await store.findHandover(account, ["conversation:9", "consumer:x"])).toMatchObject({ id: first });
      expect(await store.findHandover(account, ["conversation:9"])).toBeUndefined();
      expect(await store.findHandover(account, [])).toBeUndefined();
    });

    it("should keep two accounts with the same references and ids apart [F087]", async () => {
      const { store } = test;
      const other = "https://other.example|7";
      await startHandover(store, "demo/a", ["conversation:42"]);
      await startHandover(store, "demo/b", ["conversation:42"], other);
      const result = await store.receive([
        newDelivery("message:1", ["conversation:42"], { payload: "for a" }),
        newDelivery("message:1", ["conversation:42"], { payload: "for b", accountKey: other, connection: "other" }),
      ]);
      expect(result).toMatchObject({ added: 2, repeated: 0 });
      expect((await store.readInbox("demo/a", 10)).map(({ payload }) => payload)).toEqual(["for a"]);
      expect((await store.readInbox("demo/b", 10)).map(({ payload }) => payload)).toEqual(["for b"]);
      expect(await store.findHandover(other, ["conversation:42"])).toMatchObject({ conversation: "demo/b" });
      for (const unknown of ["https://a.example|7", "https://z.example|7", `${other}7`, "", other.toUpperCase()]) {
        expect(await store.findHandover(unknown, ["conversation:42"]), unknown).toBeUndefined();
      }
    });

    it("should take a delivery once, however often and on whatever way it comes [F017 store part]", async () => {
      const stores = await test.two();
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      const delivery = newDelivery("m1", ["conversation:1"]);
      const results = await Promise.all([0, 1, 2, 3, 4].map((index) => (stores[index % 2] ?? store).receive([delivery])));
      expect(results.reduce((sum, { added }) => sum + added, 0)).toBe(1);
      expect(results.reduce((sum, { repeated }) => sum + repeated, 0)).toBe(4);
      expect(await store.receive([{ ...delivery, connection: "second" }])).toMatchObject({ added: 0, repeated: 1 });
      expect(await store.receive([newDelivery("m2", ["conversation:1"]), newDelivery("m2", ["conversation:1"])])).toMatchObject({
        added: 1,
        repeated: 1,
      });
      expect(await committed(store, { conversation: "demo/a", deliveries: [delivery] })).toMatchObject({ deliveriesAdded: 0 });
      expect(await inboxIds(store, "demo/a")).toEqual(["m1", "m2"]);
    });

    it("should still know a delivery after it was dealt with and after a restart [F157 store part]", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery("m1", ["conversation:1"])]);
      const consume = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
      await committed(store, { conversation: "demo/a", consume });
      expect(await store.readInbox("demo/a", 10)).toEqual([]);
      const reopened = await test.reopen();
      expect(await reopened.receive([newDelivery("m1", ["conversation:1"])])).toMatchObject({ added: 0, repeated: 1 });
      expect(await reopened.readInbox("demo/a", 10)).toEqual([]);
    });

    it("should never take deliveries without an id for repeats", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      const delivery = newDelivery(undefined, ["conversation:1"]);
      expect(await store.receive([delivery, delivery])).toMatchObject({ added: 2, repeated: 0 });
      const consume = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
      await committed(store, { conversation: "demo/a", consume });
      expect(await store.receive([delivery])).toMatchObject({ added: 1 });
      expect(await inboxIds(store, "demo/a")).toEqual([undefined]);
    });

    it("should never give a number a second time", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery(undefined, ["conversation:1"])]);
      const [first] = await store.readInbox("demo/a", 1);
      await committed(store, { conversation: "demo/a", consume: [first?.number ?? 0] });
      await store.receive([newDelivery(undefined, ["conversation:1"])]);
      const [second] = await store.readInbox("demo/a", 1);
      expect(second?.number).toBeGreaterThan(first?.number ?? Infinity);
    });

    it("should not consume what belongs to another conversation", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1"]);
      await store.receive([newDelivery("m1", ["conversation:1"]), newDelivery(undefined, ["conversation:1"])]);
      const consume = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
      expect(await committed(store, commitTo("demo/b", { consume }))).toMatchObject({ version: 0 });
      expect(await inboxIds(store, "demo/a")).toEqual(["m1", undefined]);
    });

    it("should let a reference go over to the handover that names it last", async () => {
      const { store } = test;
      await startHandover(store, "demo/a", ["conversation:1", "consumer:x"]);
      await committed(
        store,
        commitTo("demo/a", {
          handovers: [newHandover("h2", "demo/a", { ordinal: 2 })],
          references: [{ accountKey: account, handover: "h2", references: ["conversation:2", "consumer:x"] }],
        }),
      );
      expect(await store.findHandover(account, ["consumer:x"])).toMatchObject({ id: "h2" });
      expect(await store.findHandover(account, ["conversation:1", "consumer:x"])).toMatchObject({ ordinal: 1 });
    });
  });
}
