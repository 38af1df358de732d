import type { Json } from "@handover/core";
import type { AttemptRecord, HandoverRecord, Store } from "@handover/runtime";
import { newBlob, pieces } from "./blobs.ts";
import { account, commitTo, committed, newAttempt, newDelivery, newEntry, newHandover, newPart, someTimeMs } from "./records.ts";

/** A word that must not be found any more. */
export const canary = "canary-bird-4711";

const text = `said ${canary}`;

/** Everything that a conversation can keep of its user, each with the canary in it. Its handover is over. */
export async function fillWithCanaries(store: Store, key: string, change: { readonly isOpen?: boolean } = {}): Promise<void> {
  const id = `handover-of-${key}`;
  const user = { id: `user-of-${key}`, name: text, email: `${canary}@example.com` };
  await committed(
    store,
    commitTo(key, {
      append: [
        newEntry("u1", { text, author: { role: "user", id: canary, name: text } }),
        newEntry("u2", {
          text,
          attachments: [{ id: "f1", name: text, type: "image/png", sizeBytes: 1, url: `https://x.example/${canary}` }],
        }),
        newEntry("b1", {
          source: "bot",
          author: { role: "bot" },
          choices: [{ id: "c", title: text, payload: canary }],
          cards: [{ title: text }],
        }),
        newEntry("h1", { source: "runtime", kind: "handover", status: "ended", cause: { actor: "agent", code: canary }, text }),
      ],
      update: { user, handoverCount: 1, lastHandover: id, botThrough: 4 },
      handovers: [canaryHandover(id, key, change.isOpen ?? false)],
      parts: [
        newPart(id, 1, { ...canaryPart, status: "sent", vendorMessageId: "m1" }),
        newPart(id, 2, { ...canaryPart, status: "failed" }),
      ],
      references: [{ accountKey: account, handover: id, references: [`conversation:${key}`, `source:${canary}:${key}`] }],
      journal: [{ atMs: someTimeMs, what: "tested", conversation: key, details: { name: `${canary} \0 \ud83d` } }],
    }),
  );
  const payload: Json = { text };
  await store.receive([
    newDelivery(`consumed-${key}`, [`conversation:${key}`], { payload }),
    newDelivery(`waiting-${key}`, [`conversation:${key}`], { payload }),
    newDelivery(undefined, [`conversation:${key}`], { payload }),
  ]);
  const [consumed] = await store.readInbox(key, 1);
  await committed(store, { conversation: key, consume: [consumed?.number ?? 0] });
  await store.putBlob(newBlob("f1", { conversation: key, name: text }), pieces(Buffer.alloc(300_000, text)), { maximumBytes: 2 ** 30 });
}

const canaryPart = {
  part: { message: { id: "m", author: { role: "user" }, text, sentAt: new Date(someTimeMs).toISOString() }, data: { note: text } },
} as const;

function canaryHandover(id: string, key: string, isOpen: boolean): HandoverRecord {
  const attempt: AttemptRecord = newAttempt({
    phase: isOpen ? "started" : "over",
    references: [`source:${canary}:${key}`],
    progress: { name: text },
    state: { provider: "test-desk", specificationVersion: "v1", version: 1, data: { name: text } },
    catchUp: { cursor: canary, dueAtMs: 0, failures: 0, by: "x" },
    lastErrorCode: canary,
  });
  return newHandover(id, key, {
    ...(isOpen ? {} : { status: "ended", shownStatus: "ended", ended: { ...end, undelivered: [2] } }),
    attempt,
    options: { desk: { note: text } },
    user: { id: canary, name: text },
    summary: text,
    agents: [{ id: "a", name: text }],
    queue: { text },
  });
}

const end = { seq: 4, atMs: someTimeMs, reason: "completed", actor: "agent", takesThrough: 4 } as const;
