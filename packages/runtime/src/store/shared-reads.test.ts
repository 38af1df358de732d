import { expect, it } from "vitest";
import type { ConversationRecord } from "./records.ts";
import { shareReads } from "./shared-reads.ts";
import type { Store } from "./store.ts";

/** A store whose answers say how often it was asked and written to. */
function countingStore() {
  const asked: string[] = [];
  let version = 0;
  const store = {
    readConversation: async (key: string) => {
      asked.push(key);
      return { key, version } as ConversationRecord;
    },
    commit: async () => {
      version += 1;
      return { status: "committed" as const, seqs: [], added: 0, version, deliveriesAdded: 0 };
    },
  };
  return { asked, store: shareReads(store as unknown as Store) };
}

it("should ask the store once for those who ask for the same at the same moment", async () => {
  const { asked, store } = countingStore();
  const records = await Promise.all([store.readConversation("a"), store.readConversation("b"), store.readConversation("a")]);
  expect(records.map((record) => record?.key)).toEqual(["a", "b", "a"]);
  expect(asked).toEqual(["a", "b"]);
});

it("should ask the store again for whoever asks later", async () => {
  const { asked, store } = countingStore();
  await store.readConversation("a");
  await store.readConversation("a");
  expect(asked).toEqual(["a", "a"]);
});

it("should show a change to whoever has learned of it, also when somebody asked just before it", async () => {
  const { store } = countingStore();
  const before = store.readConversation("a");
  const changed = store.commit({ conversation: "a" });
  const after = changed.then(() => store.readConversation("a"));
  expect((await before)?.version).toBe(0);
  expect((await after)?.version).toBe(1);
});

it("should give everybody the error of a question that failed, and forget it", async () => {
  let isBroken = true;
  const inner = { readConversation: async () => (isBroken ? Promise.reject(new Error("down")) : undefined) };
  const store = shareReads(inner as unknown as Store);
  const both = await Promise.allSettled([store.readConversation("a"), store.readConversation("a")]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  isBroken = false;
  expect(await store.readConversation("a")).toBeUndefined();
});
