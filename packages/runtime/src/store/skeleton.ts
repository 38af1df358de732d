import type { NewEntry, StoredEntry } from "../entry.ts";
import type { AttemptRecord, HandoverRecord, JournalItem, PartRecord } from "./records.ts";

/*
 * What stays of a record when its content is erased. Each names what it keeps, so that a field of a later release is content
 * unless somebody says otherwise.
 */

/** Keeps number, ids and what happened; nobody may see it any more. */
export function entrySkeleton(entry: StoredEntry): StoredEntry;
export function entrySkeleton(entry: NewEntry): NewEntry;
export function entrySkeleton(entry: NewEntry | StoredEntry): NewEntry | StoredEntry {
  return {
    ...pick(entry as StoredEntry, ["seq", "id", "source", "kind", "at", "status", "reason", "event", "handover", "replaces", "about"]),
    ...pick(entry as StoredEntry, ["delivery", "isLate", "isPossiblyDuplicated"]),
    ...(entry.author ? { author: { role: entry.author.role } } : {}),
    ...(entry.cause ? { cause: { actor: entry.cause.actor } } : {}),
    audience: [],
    isErased: true,
  };
}

/** Keeps who was asked when, and how it ended. */
export function handoverSkeleton(handover: HandoverRecord): HandoverRecord {
  return {
    ...pick(handover, ["id", "conversation", "ordinal", "status", "shownStatus", "createdAtMs", "requestedSeq", "transcriptAfter"]),
    ...pick(handover, ["takesAfter", "connections", "wasActive", "entryCount", "previous", "ended"]),
    options: {},
    attempt: attemptSkeleton(handover.attempt),
    leaving: [],
    agents: [],
  };
}

function attemptSkeleton(attempt: AttemptRecord): AttemptRecord {
  return {
    ...pick(attempt, ["number", "connection", "provider", "accountKey", "phase", "sinceMs", "startCalls", "relay"]),
    ...pick(attempt, ["transcriptThrough", "liveThrough", "receipts"]),
    references: [],
    released: {},
  };
}

/** Keeps which message went where, and what became of it. */
export function partSkeleton(part: PartRecord): PartRecord {
  const { id, author, sentAt } = part.part.message;
  return {
    ...pick(part, ["handover", "attempt", "seq", "index", "count", "key", "status", "calls", "firstAtMs", "vendorMessageId"]),
    ...pick(part, ["isPossiblyDuplicated", "delivery"]),
    part: { message: { id, author: { role: author.role }, sentAt } },
  };
}

/** Keeps what happened, and where. */
export function journalSkeleton(item: JournalItem): JournalItem {
  return pick(item, ["atMs", "what", "conversation", "handover", "connection"]);
}

/** Absent fields stay absent. */
function pick<Value extends object, Key extends keyof Value>(value: Value, keys: readonly Key[]): Pick<Value, Key> {
  return Object.fromEntries(keys.filter((key) => value[key] !== undefined).map((key) => [key, value[key]])) as Pick<Value, Key>;
}

/**
 * How far the content of a log is older than a time. An entry that was learned late carries the vendor's time: it is as old as the
 * one before it.
 *
 * @param entries the oldest ones that still have content
 * @returns `through`: number of the last old one, if any. `nextAtMs`: the time of the first that is not; absent when all are old
 */
export function oldEntries(entries: readonly StoredEntry[], beforeMs: number): { readonly through?: number; readonly nextAtMs?: number } {
  const isYoung = (entry: StoredEntry) => entry.isLate !== true && Date.parse(entry.at) >= beforeMs;
  const index = entries.findIndex(isYoung);
  const last = entries[(index === -1 ? entries.length : index) - 1];
  const next = index === -1 ? undefined : entries[index];
  return { ...(last ? { through: last.seq } : {}), ...(next ? { nextAtMs: Date.parse(next.at) } : {}) };
}
