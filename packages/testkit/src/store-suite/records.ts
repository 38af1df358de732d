import type {
  AttemptRecord,
  Commit,
  CommitResult,
  HandoverRecord,
  JournalItem,
  NewDelivery,
  NewEntry,
  PartRecord,
  Store,
} from "@handover/runtime";

/** The account of most deliveries. */
export const account = "https://desk.example|7";

/** The time of most records, in Unix milliseconds. */
export const someTimeMs = Date.UTC(2026, 0, 5, 10);

/** A commit that makes its conversation. */
export function commitTo(key: string, change: Partial<Commit> = {}): Commit {
  return { conversation: key, create: { endpoint: "demo", conversation: key }, ...change };
}

/** A message of a user. */
export function newEntry(id: string, change: Partial<NewEntry> = {}): NewEntry {
  return {
    id,
    source: "user",
    audience: ["user", "bot", "desk"],
    kind: "message",
    at: new Date(someTimeMs).toISOString(),
    author: { role: "user" },
    text: `text of ${id}`,
    ...change,
  };
}

/** An attempt that has started. */
export function newAttempt(change: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    connection: "desk",
    provider: "test-desk",
    accountKey: account,
    phase: "started",
    sinceMs: someTimeMs,
    startCalls: 1,
    references: [],
    transcriptThrough: 0,
    liveThrough: 0,
    released: {},
    ...change,
  };
}

/** A handover that waits in the queue. */
export function newHandover(id: string, conversation: string, change: Partial<HandoverRecord> = {}): HandoverRecord {
  return {
    id,
    conversation,
    ordinal: 1,
    status: "queued",
    shownStatus: "queued",
    createdAtMs: someTimeMs,
    requestedSeq: 1,
    transcriptAfter: 0,
    takesAfter: 0,
    connections: ["desk"],
    options: {},
    attempt: newAttempt(),
    leaving: [],
    agents: [],
    entryCount: 0,
    ...change,
  };
}

/** A part that is planned. */
export function newPart(handover: string, seq: number, change: Partial<PartRecord> = {}): PartRecord {
  const { attempt = 1, index = 0 } = change;
  return {
    handover,
    attempt,
    seq,
    index,
    count: 1,
    key: `${handover}-${attempt}-${seq}-${index}`,
    part: { message: { id: `m${seq}`, author: { role: "user" }, text: "hello", sentAt: new Date(someTimeMs).toISOString() } },
    status: "planned",
    calls: 0,
    ...change,
  };
}

/** A delivery of the vendor; without an id when `undefined` is given. */
export function newDelivery(id: string | undefined, references: readonly string[], change: Partial<NewDelivery> = {}): NewDelivery {
  return {
    connection: "desk",
    accountKey: account,
    ...(id === undefined ? {} : { id }),
    references,
    payload: { text: `payload of ${id ?? "no id"}` },
    receivedAtMs: someTimeMs,
    ...change,
  };
}

/** Something that nobody sees. */
export function newJournalItem(what = "tested"): JournalItem {
  return { atMs: someTimeMs, what, details: { count: 1 } };
}

/** A value that cannot be written down: the simplest write that fails half-way. */
export function unwritable(): never {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  return circle as never;
}

/** The result of a commit that has to succeed. */
export async function committed(store: Store, commit: Commit): Promise<Extract<CommitResult, { readonly status: "committed" }>> {
  const result = await store.commit(commit);
  if (result.status !== "committed") throw new Error(`The commit was refused: ${result.status}`);
  return result;
}

/** A conversation with one handover that is known under the references. @returns the handover's id */
export async function startHandover(store: Store, key: string, references: readonly string[], accountKey = account): Promise<string> {
  const handover = `handover-of-${key}`;
  await committed(store, commitTo(key, { handovers: [newHandover(handover, key)], references: [{ accountKey, handover, references }] }));
  return handover;
}

/** All that can be read of a conversation. */
export async function readAll(store: Store, key: string) {
  return {
    conversation: await store.readConversation(key),
    entries: await store.readEntries(key, { after: 0, limit: 1000 }),
    handovers: await store.readOpenHandovers(key),
    inbox: await store.readInbox(key, 1000),
  };
}

/** Ids of what waits in the inbox. */
export async function inboxIds(store: Store, key: string): Promise<readonly (string | undefined)[]> {
  return (await store.readInbox(key, 1000)).map(({ id }) => id);
}
