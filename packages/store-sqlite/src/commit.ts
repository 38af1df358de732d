import { RuntimeError } from "@handover/runtime";
import type { Commit, CommitResult, NewDelivery, ReceiveResult } from "@handover/runtime";
import type { ConversationRow } from "./conversations.ts";
import type { Touched } from "./group-commit.ts";
import type { Received } from "./inbox.ts";
import type { Tables } from "./tables.ts";

/** What became of deliveries, and the conversations that got some. */
type ReceivedAll = Omit<ReceiveResult, "conversations"> & { readonly conversations: ReadonlySet<number> };

const nobody: ReadonlySet<number> = new Set();
const nothingReceived: ReceivedAll = { conversations: nobody, added: 0, repeated: 0, parked: 0 };

/** Carries out one commit as part of a transaction. A refusal comes before the first write, so it leaves nothing to undo. */
export function applyCommit(tables: Tables, commit: Commit, nowMs: number, touched: Touched): CommitResult {
  const found = tables.conversations.find(commit.conversation);
  if (!found && !commit.create) throw unknownConversation();
  const refusal = refuse(found, commit);
  if (refusal) return refusal;

  const row = found ?? createConversation(tables, commit);
  const { seqs, added } = tables.entries.append(row.id, row.lastSeq, commit.append ?? []);
  if (added > 0 && row.contentFrom === null) tables.conversations.noteContent(row.id, Date.parse(commit.append?.[0]?.at ?? ""));
  if (commit.amend) tables.entries.amend(row.id, commit.amend);
  if (commit.handovers ?? commit.parts) putHandovers(tables, row, commit);
  const given = commit.references ? addReferences(tables, row, commit.references) : nobody;
  const received = commit.deliveries ? receiveAll(tables, commit.deliveries) : nothingReceived;
  const consumed = commit.consume ? tables.inbox.consume(row.id, commit.consume) : 0;
  if (commit.journal) tables.journal.add(commit.journal, commit.conversation);

  const hasChanged = hasRecords(commit) || consumed > 0;
  const hasDeliveries = given.has(row.id) || received.conversations.has(row.id);
  const isDue = added > 0 || hasDeliveries || (commit.handovers ?? []).length > 0;
  const version = row.version + (hasChanged ? 1 : 0);
  tables.conversations.change(row, {
    version,
    lastSeq: row.lastSeq + added,
    patch: commit.update,
    dueAtMs: isDue ? nowMs : undefined,
  });
  if (hasChanged || isDue || !found) touched.add(commit.conversation);
  const woken = new Set([...given, ...received.conversations]);
  woken.delete(row.id);
  wakeAll(tables, woken, nowMs, touched);
  return { status: "committed", seqs, added, version, deliveriesAdded: received.added + received.parked };
}

/** Puts the deliveries of one request into the inbox. */
export function applyReceive(tables: Tables, deliveries: readonly NewDelivery[], nowMs: number, touched: Touched): ReceiveResult {
  const { conversations, ...counts } = receiveAll(tables, deliveries);
  return { ...counts, conversations: wakeAll(tables, conversations, nowMs, touched) };
}

function refuse(row: ConversationRow | undefined, { fence, expectVersion, expectLastSeq }: Commit): CommitResult | undefined {
  if (fence !== undefined && !(row?.owner && row.fence === fence)) return { status: "fenced" };
  if (expectVersion !== undefined && (row?.version ?? 0) !== expectVersion) return { status: "conflict" };
  if (expectLastSeq !== undefined && (row?.lastSeq ?? 0) !== expectLastSeq) return { status: "conflict" };
  return undefined;
}

function createConversation(tables: Tables, { conversation, create }: Commit): ConversationRow {
  if (!create) throw unknownConversation();
  return tables.conversations.create(conversation, create);
}

function putHandovers(tables: Tables, row: ConversationRow, { conversation, handovers = [], parts = [] }: Commit): void {
  for (const handover of handovers) {
    const owner = tables.handovers.conversationOf(handover.id) ?? row.id;
    if (owner !== row.id || handover.conversation !== conversation) throw foreignHandover(handover.id);
    tables.handovers.put(row.id, handover);
  }
  for (const id of new Set(parts.map((part) => part.handover))) requireOwn(tables, row, id);
  for (const part of parts) tables.parts.put(part);
}

/** @returns conversations that got deliveries which were parked */
function addReferences(tables: Tables, row: ConversationRow, additions: NonNullable<Commit["references"]>): ReadonlySet<number> {
  for (const { accountKey, handover, references } of additions) {
    requireOwn(tables, row, handover);
    for (const reference of references) tables.addresses.put(accountKey, reference, handover);
  }
  // Only now: the first known reference of a delivery may be one of a later addition.
  return new Set(additions.flatMap(({ accountKey, references }) => [...tables.inbox.unpark(accountKey, references)]));
}

function receiveAll(tables: Tables, deliveries: readonly NewDelivery[]): ReceivedAll {
  const received: readonly Received[] = deliveries.map((delivery) => tables.inbox.receive(delivery));
  const added = received.filter((one) => one.kind === "added");
  return {
    conversations: new Set(added.map(({ conversation }) => conversation)),
    added: added.length,
    repeated: received.filter(({ kind }) => kind === "repeated").length,
    parked: received.filter(({ kind }) => kind === "parked").length,
  };
}

/** @returns the keys of the conversations */
function wakeAll(tables: Tables, conversations: ReadonlySet<number>, nowMs: number, touched: Touched): readonly string[] {
  return [...conversations].map((id) => {
    tables.conversations.wake(id, nowMs);
    const key = tables.conversations.keyOf(id);
    touched.add(key);
    return key;
  });
}

function hasRecords({ update, handovers = [], parts = [] }: Commit): boolean {
  return handovers.length > 0 || parts.length > 0 || (update !== undefined && Object.keys(update).length > 0);
}

function requireOwn(tables: Tables, row: ConversationRow, handover: string): void {
  if (tables.handovers.conversationOf(handover) !== row.id) throw foreignHandover(handover);
}

function unknownConversation(): RuntimeError {
  return new RuntimeError("STORE_FAILED", "A commit names a conversation that does not exist. Nothing was changed. Give `create` with it.");
}

function foreignHandover(handover: string): RuntimeError {
  return new RuntimeError(
    "STORE_FAILED",
    `A commit names the handover "${handover}", which its conversation does not have. Nothing was changed. Put the handover into the same commit or an earlier one.`,
  );
}
