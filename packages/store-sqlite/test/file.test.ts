import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSqliteStore } from "@handover/store-sqlite";
import type { Store } from "@handover/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { commitTo, committed, newDelivery, newEntry, newJournalItem, startHandover } from "../../testkit/src/store-suite/records.ts";
import { useTemporaryFolders } from "./temporary-folder.ts";

const temporaryFolder = useTemporaryFolders();

async function openStore(path: string): Promise<Store> {
  const store = createSqliteStore({ path });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** What is in the file, once the store has closed it. */
function readRows(path: string, query: string): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

describe("the store file", () => {
  it("should not keep the content of a delivery that was dealt with, only its id", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const store = await openStore(path);
    await startHandover(store, "demo/a", ["conversation:1"]);
    await store.receive([newDelivery("m1", ["conversation:1"]), newDelivery(undefined, ["conversation:1"])]);
    const consume = (await store.readInbox("demo/a", 10)).map(({ number }) => number);
    await committed(store, { conversation: "demo/a", consume });
    await store.close();
    expect(readRows(path, "SELECT delivery_id, json FROM inbox")).toEqual([{ delivery_id: "m1", json: null }]);
  });

  it("should keep the journal, with the conversation that it belongs to", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const store = await openStore(path);
    await committed(
      store,
      commitTo("demo/a", { journal: [newJournalItem("first"), { ...newJournalItem("second"), conversation: "demo/b" }] }),
    );
    await store.note([newJournalItem("third")]);
    await store.close();
    expect(readRows(path, "SELECT json ->> 'what' AS what, conversation FROM journal ORDER BY number")).toEqual([
      { what: "first", conversation: "demo/a" },
      { what: "second", conversation: "demo/b" },
      { what: "third", conversation: null },
    ]);
  });

  it("should free what was held when it is opened again, with a higher fence [F158 store part]", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const store = await openStore(path);
    await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
    const request = { leaseMs: 1, nowMs: Date.now() + 1000, limit: 10 };
    const [held] = await store.claim({ ...request, owner: "one" });
    await store.close();
    const reopened = await openStore(path);
    expect(await reopened.commit({ conversation: "demo/a", fence: held?.fence ?? 0 })).toEqual({ status: "fenced" });
    const [claim] = await reopened.claim({ ...request, owner: "two" });
    expect(claim?.fence).toBeGreaterThan(held?.fence ?? Infinity);
  });

  it("should write nothing when there is nothing to do, but to prove that it can", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const store = await openStore(path);
    await committed(store, commitTo("demo/a", { update: { botThrough: 0 } }));
    const { size } = statSync(`${path}-wal`);
    expect(await store.claim({ owner: "one", leaseMs: 1, nowMs: Date.now() + 1000, limit: 10 })).toEqual([]);
    expect(await store.expireParked(Date.now())).toEqual([]);
    expect(statSync(`${path}-wal`).size).toBe(size);
    await store.check();
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(size);
  });
});
