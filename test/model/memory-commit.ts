import {
  amendEntry,
  RuntimeError,
  type Commit,
  type CommitResult,
  type HandoverRecord,
  type NewDelivery,
  type PartRecord,
  type ReceiveResult,
} from "@handover/runtime";
import { newConversation, type ConversationRow, type MemoryData } from "./memory-data.ts";

/** A key of two texts that no other two give. */
export const entryKey = (first: string, second: string) => `${first.length}:${first}${second}`;

/** The handover that the first known reference belongs to. */
export function findHandover(data: MemoryData, accountKey: string, references: readonly string[]): HandoverRecord | undefined {
  const known = references.map((reference) => data.addresses.get(entryKey(accountKey, reference))).find((id) => id !== undefined);
  return known === undefined ? undefined : data.handovers.get(known);
}

/** The parts of a handover in the order of planning. */
export function partsOf(data: MemoryData, handover: string): PartRecord[] {
  return data.parts.get(handover) ?? [];
}

/** All checks come before the first change. */
export function applyCommit(data: MemoryData, commit: Commit, nowMs: number, touched: Set<string>): CommitResult {
  const key = commit.conversation;
  const found = data.conversations.get(key);
  if (!found && !commit.create) throw new RuntimeError("STORE_FAILED", "A commit names a conversation that does not exist.");
  const { fence, expectVersion, expectLastSeq } = commit;
  if (fence !== undefined && (found?.owner === undefined || found.fence !== fence)) return { status: "fenced" };
  if (expectVersion !== undefined && (found?.record.version ?? 0) !== expectVersion) return { status: "conflict" };
  if (expectLastSeq !== undefined && (found?.record.lastSeq ?? 0) !== expectLastSeq) return { status: "conflict" };
  checkHandovers(data, commit);

  const row = found ?? newConversation(key, commit.create);
  data.conversations.set(key, row);
  const { seqs, added } = append(row, commit.append ?? []);
  for (const { seq, ...amendment } of commit.amend ?? []) {
    const entry = row.entries[seq - 1];
    if (entry) row.entries[seq - 1] = amendEntry(entry, amendment);
  }
  for (const handover of commit.handovers ?? []) data.handovers.set(handover.id, handover);
  for (const part of commit.parts ?? []) putPart(data, part);
  const woken = addReferences(data, commit.references ?? []);
  const received = receiveAll(data, commit.deliveries ?? []);
  const consumed = consume(data, key, commit.consume ?? []);
  data.journal.push(...(commit.journal ?? []));
  for (const one of received.woken) woken.add(one);
  const hasDeliveries = woken.delete(key);
  const isDueNow = added > 0 || hasDeliveries || (commit.handovers ?? []).length > 0;
  const hasRecords = Object.keys(commit.update ?? {}).length > 0 || (commit.handovers ?? []).length > 0 || (commit.parts ?? []).length > 0;
  const hasChanged = hasRecords || consumed > 0;
  const { record } = row;
  row.record = withoutNulls({
    ...record,
    ...commit.update,
    version: record.version + (hasChanged ? 1 : 0),
    activity: record.activity + (isDueNow ? 1 : 0),
    lastSeq: row.entries.length,
  });
  if (isDueNow) row.dueAtMs = Math.min(row.dueAtMs ?? Infinity, nowMs);
  if (hasChanged || isDueNow || !found) touched.add(key);
  wakeAll(data, woken, nowMs, touched);
  const deliveriesAdded = received.added + received.parked;
  return { status: "committed", seqs, added, version: row.record.version, deliveriesAdded };
}

function checkHandovers(data: MemoryData, { conversation, handovers = [], parts = [], references = [] }: Commit): void {
  const own = new Set(handovers.map(({ id }) => id));
  const isOwn = (id: string) => own.has(id) || data.handovers.get(id)?.conversation === conversation;
  const isForeign = handovers.some((one) => one.conversation !== conversation || !isOwnRecord(data, one));
  const isTaken = parts.some((part) => {
    const known = data.partKeys.get(part.key);
    return known !== undefined && known !== partPlace(part);
  });
  const isTwice = new Set(parts.map(partPlace)).size !== new Set(parts.map(({ key }) => key)).size;
  if (isTaken || isTwice) throw new RuntimeError("STORE_FAILED", "A commit names a part with the key of another. Nothing was changed.");
  if (isForeign || ![...parts, ...references].every(({ handover }) => isOwn(handover))) {
    throw new RuntimeError("STORE_FAILED", "A commit names a handover that its conversation does not have. Nothing was changed.");
  }
}

function isOwnRecord(data: MemoryData, { id, conversation }: HandoverRecord): boolean {
  const known = data.handovers.get(id);
  return known === undefined || known.conversation === conversation;
}

/** `null` takes a value away. */
function withoutNulls(record: object): ConversationRow["record"] {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as unknown as ConversationRow["record"];
}

function append(row: ConversationRow, entries: NonNullable<Commit["append"]>): { readonly seqs: number[]; readonly added: number } {
  const before = row.entries.length;
  const seqs = entries.map((entry) => {
    const name = entryKey(entry.source, entry.id);
    const known = row.entryNumbers.get(name);
    if (known !== undefined) return known;
    const seq = row.entries.push({ seq: row.entries.length + 1, ...entry });
    row.entryNumbers.set(name, seq);
    return seq;
  });
  return { seqs, added: row.entries.length - before };
}

function partPlace({ handover, attempt, seq, index }: PartRecord): string {
  return `${handover}/${attempt}/${seq}/${index}`;
}

function putPart(data: MemoryData, part: PartRecord): void {
  data.partKeys.set(part.key, partPlace(part));
  const parts = partsOf(data, part.handover);
  const at = parts.findIndex((one) => one.attempt === part.attempt && one.seq === part.seq && one.index === part.index);
  data.parts.set(part.handover, at < 0 ? [...parts, part] : parts.with(at, part));
}

/** @returns keys of the conversations that got deliveries which were parked */
function addReferences(data: MemoryData, additions: NonNullable<Commit["references"]>): Set<string> {
  const woken = new Set<string>();
  for (const { accountKey, handover, references } of additions) {
    for (const reference of references) data.addresses.set(entryKey(accountKey, reference), handover);
  }
  if (additions.every(({ references }) => references.length === 0)) return woken;
  for (const row of data.inbox) {
    if (row.handover !== undefined) continue;
    const target = findHandover(data, row.delivery.accountKey, row.delivery.references);
    if (!target) continue;
    row.handover = target.id;
    woken.add(target.conversation);
  }
  return woken;
}

function receiveAll(data: MemoryData, deliveries: readonly NewDelivery[]) {
  const woken = new Set<string>();
  const counts = { added: 0, repeated: 0, parked: 0 };
  for (const delivery of deliveries) {
    const name = delivery.id === undefined ? undefined : entryKey(delivery.accountKey, delivery.id);
    if (name !== undefined && data.deliveryIds.has(name)) {
      counts.repeated += 1;
      continue;
    }
    if (name !== undefined) data.deliveryIds.add(name);
    const target = findHandover(data, delivery.accountKey, delivery.references);
    data.inbox.push({ number: (data.lastNumber += 1), delivery, handover: target?.id });
    if (target) woken.add(target.conversation);
    counts[target ? "added" : "parked"] += 1;
  }
  return { ...counts, woken };
}

/** Puts the deliveries of one request into the inbox. */
export function applyReceive(data: MemoryData, deliveries: readonly NewDelivery[], nowMs: number, touched: Set<string>): ReceiveResult {
  const { woken, ...counts } = receiveAll(data, deliveries);
  wakeAll(data, woken, nowMs, touched);
  return { ...counts, conversations: [...woken] };
}

function wakeAll(data: MemoryData, keys: ReadonlySet<string>, nowMs: number, touched: Set<string>): void {
  for (const key of keys) {
    const row = data.conversations.get(key);
    if (!row) continue;
    row.record = { ...row.record, activity: row.record.activity + 1 };
    row.dueAtMs = Math.min(row.dueAtMs ?? Infinity, nowMs);
    touched.add(key);
  }
}

function consume(data: MemoryData, conversation: string, numbers: readonly number[]): number {
  const before = data.inbox.length;
  const isConsumed = (row: MemoryData["inbox"][number]) =>
    numbers.includes(row.number) && row.handover !== undefined && data.handovers.get(row.handover)?.conversation === conversation;
  if (numbers.length > 0) data.inbox = data.inbox.filter((row) => !isConsumed(row));
  return before - data.inbox.length;
}
