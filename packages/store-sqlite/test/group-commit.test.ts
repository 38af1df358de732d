import { join } from "node:path";
import { createSqliteStore } from "@handover/store-sqlite";
import type { Store } from "@handover/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { commitTo, newDelivery, newEntry, startHandover, unwritable } from "../../testkit/src/store-suite/records.ts";
import { useTemporaryFolders } from "./temporary-folder.ts";

const temporaryFolder = useTemporaryFolders();

async function openStore(): Promise<Store> {
  const store = createSqliteStore({ path: join(temporaryFolder(), "handover.db") });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** A commit that fails after it has written something. */
const failing = (key: string, id: string) => commitTo(key, { append: [newEntry(id), newEntry(`${id}-more`, { text: unwritable() })] });

const ids = async (store: Store, key: string) => (await store.readEntries(key, { after: 0, limit: 1_000 })).map(({ id }) => id);

describe("writes that are carried out together", () => {
  it("should carry out all but those that fail, in order and without a hole", async () => {
    const store = await openStore();
    const count = 100;
    const names = Array.from({ length: count }, (_, index) => `u${index}`);
    const isFailing = (index: number) => index % 10 === 3;
    const results = await Promise.allSettled(
      names.map((id, index) => store.commit(isFailing(index) ? failing("demo/a", id) : commitTo("demo/a", { append: [newEntry(id)] }))),
    );
    expect(results.map(({ status }) => status)).toEqual(names.map((_, index) => (isFailing(index) ? "rejected" : "fulfilled")));
    const written = names.filter((_, index) => !isFailing(index));
    expect(await ids(store, "demo/a")).toEqual(written);
    const seqs = results.flatMap((result) =>
      result.status === "fulfilled" && result.value.status === "committed" ? result.value.seqs : [],
    );
    expect(seqs).toEqual(written.map((_, index) => index + 1));
  });

  it("should carry out each once, whatever it is, when another one fails", async () => {
    const store = await openStore();
    const handover = await startHandover(store, "demo/a", ["conversation:1"]);
    const before = await store.readConversation("demo/a");
    const [failed, ...others] = await Promise.allSettled([
      store.commit(failing("demo/b", "u1")),
      store.commit({ conversation: "demo/a", update: { botThrough: 1 } }),
      store.receive([newDelivery("m1", ["conversation:1"]), newDelivery(undefined, ["conversation:1"])]),
      store.claim({ owner: "one", leaseMs: 1_000, nowMs: Date.now(), limit: 10, only: ["demo/a"] }),
      store.writeMemory("scope", "key", "value"),
    ]);
    expect(failed.status).toBe("rejected");
    expect(others.map(({ status }) => status)).toEqual(others.map(() => "fulfilled"));
    const after = await store.readConversation("demo/a");
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect(after?.activity).toBe((before?.activity ?? 0) + 1);
    expect((await store.readInbox("demo/a", 10)).map((row) => [row.id, row.handover])).toEqual([
      ["m1", handover],
      [undefined, handover],
    ]);
    expect(await store.readMemory("scope", "key")).toBe("value");
    expect(await store.readConversation("demo/b")).toBeUndefined();
  });

  it("should tell those who watch of what was written, once, and of nothing that failed", async () => {
    const store = await openStore();
    const told: string[] = [];
    onTestFinished(store.watch((key) => void told.push(key)));
    await Promise.allSettled([
      store.commit(commitTo("demo/a", { append: [newEntry("u1")] })),
      store.commit(failing("demo/b", "u1")),
      store.commit(commitTo("demo/c", { append: [newEntry("u1")] })),
    ]);
    expect(told).toEqual(["demo/a", "demo/c"]);
  });
});
