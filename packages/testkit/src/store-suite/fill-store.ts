import type { Store } from "@handover/runtime";
import {
  account,
  commitTo,
  committed,
  newAttempt,
  newDelivery,
  newEntry,
  newHandover,
  newJournalItem,
  newPart,
  someTimeMs,
} from "./records.ts";

/**
 * Writes something of every kind that the first release of the store interface knows: what a store has to bring along through every
 * upgrade. Kept as it is; a later release with more to keep gets a function of its own.
 */
export async function fillStore(store: Store): Promise<void> {
  await fillEnded(store);
  await fillRunning(store);
  await store.receive([newDelivery("parked", ["conversation:unknown"])]);
  await store.note([newJournalItem("noted")]);
  await store.writeMemory("account:one", "key", { secret: "0101" });
  await store.writeMemory("user:one:0101", "contact", "9007199254740993");
}

/** A conversation whose handover is over. */
async function fillEnded(store: Store): Promise<void> {
  const key = "demo/ended";
  const attempt = newAttempt({ phase: "over", references: ["conversation:1"], transcriptThrough: 1, liveThrough: 3 });
  const ended = { seq: 5, atMs: someTimeMs, reason: "completed", actor: "agent", takesThrough: 5, undelivered: [] } as const;
  const handover = newHandover("ended", key, { status: "ended", shownStatus: "ended", attempt, ended, user: { id: "0101", name: "Ada" } });
  await committed(
    store,
    commitTo(key, {
      append: [newEntry("u1"), newEntry("u2"), newEntry("u3", { text: "odd: \0 \ud83d 👩‍👩‍👧‍👦" })],
      update: { user: { id: "0101", name: "Ada" }, handoverCount: 1, lastHandover: "ended", botThrough: 3, pushedThrough: 5 },
      handovers: [handover],
      parts: [newPart("ended", 2, { status: "sent", vendorMessageId: "m2" }), newPart("ended", 3, { status: "sent" })],
      references: [{ accountKey: account, handover: "ended", references: ["conversation:1", "consumer:x"] }],
      journal: [newJournalItem("ended")],
    }),
  );
  await store.receive([newDelivery("d1", ["conversation:1"]), newDelivery("d2", ["conversation:1"])]);
  const waiting = await store.readInbox(key, 10);
  await committed(store, {
    conversation: key,
    append: [
      newEntry("m1", { source: "desk", author: { role: "agent", name: "Bo" } }),
      newEntry("h1", { source: "runtime", kind: "handover" }),
    ],
    consume: waiting.map(({ number }) => number),
  });
}

/** A conversation in the middle of a handover that somebody works on. */
async function fillRunning(store: Store): Promise<void> {
  const key = "demo/running";
  const state = { provider: "test-desk", specificationVersion: "v1", version: 1, data: { ticket: "7" } } as const;
  const attempt = newAttempt({ references: ["conversation:2"], state, released: { messages: 4 } });
  await committed(
    store,
    commitTo(key, {
      append: [newEntry("u1"), newEntry("u2")],
      update: { user: { id: "9007199254740993" }, handoverCount: 1, currentHandover: "running", botThrough: 1 },
      handovers: [newHandover("running", key, { attempt, options: { desk: { queueId: "0101" } }, summary: "wants a person" })],
      parts: [newPart("running", 2, { status: "unclear", calls: 1 })],
      references: [{ accountKey: account, handover: "running", references: ["conversation:2"] }],
    }),
  );
  await store.receive([newDelivery("d3", ["conversation:2"]), newDelivery(undefined, ["conversation:2"])]);
}
