import type { DatabaseSync } from "node:sqlite";
import { entrySkeleton, handoverSkeleton, journalSkeleton, oldEntries, partSkeleton } from "@handover/runtime";
import type { ConversationRecord, HandoverRecord, JournalItem, NewEntry, PartRecord, Store, StoredEntry } from "@handover/runtime";
import type { Blobs } from "./blobs.ts";
import { toColumnText } from "./column-text.ts";

/** What a piece of an erasure came to. `more`: call again. */
export type Piece = "erased" | "waiting" | "more";

/** Takes content away, a piece at a time, so that nothing else waits for long. */
export interface Erasure {
  /** Content of before the time; everything when it is infinite. */
  erasePiece(key: string, beforeMs: number): Piece;
  /** Erases it as soon as no handover is open. */
  mark(key: string): void;
  /** A conversation that waits to be erased, or has content of before the time. */
  nextDue(beforeMs: number | undefined): { readonly key: string; readonly isWhole: boolean } | undefined;
  listOfUser(request: Parameters<Store["listConversationsOfUser"]>[0]): readonly string[];
  eraseMemory(scope: string): void;
}

const entriesPerPiece = 200;
const journalItemsPerPiece = 500;

interface Row {
  readonly id: number;
  readonly lastSeq: number;
  readonly erasedThrough: number;
  readonly json: string;
  readonly isOpen: number;
}

const hasOpenHandover = "EXISTS (SELECT 1 FROM handovers WHERE handovers.conversation = conversations.id AND is_open = 1)";

/** What an erasure looks for; each has an index. */
export const searches = {
  marked: `SELECT key FROM conversations WHERE must_erase = 1 AND NOT ${hasOpenHandover} LIMIT 1`,
  old: `SELECT key FROM conversations WHERE content_from < ? AND NOT ${hasOpenHandover} ORDER BY content_from LIMIT 1`,
  ofUser:
    "SELECT key FROM conversations WHERE user_id = ?1 AND key > ?2 AND (?3 IS NULL OR json -> '$.endpoint' = ?3) ORDER BY key LIMIT ?4",
} as const;

export function createErasure(database: DatabaseSync, blobs: Blobs): Erasure {
  const select = database.prepare(
    `SELECT id, last_seq AS lastSeq, erased_through AS erasedThrough, json, ${hasOpenHandover} AS isOpen FROM conversations WHERE key = ?`,
  );
  const selectEntries = database.prepare("SELECT seq, json FROM entries WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?");
  const updateEntry = database.prepare("UPDATE entries SET json = ? WHERE conversation = ? AND seq = ?");
  const selectParts = database.prepare(
    `SELECT position, parts.json FROM parts JOIN handovers ON handovers.id = parts.handover
     WHERE handovers.conversation = ? AND seq > ? AND seq <= ?`,
  );
  const updatePart = database.prepare("UPDATE parts SET json = ? WHERE position = ?");
  const moveOn = database.prepare("UPDATE conversations SET erased_through = ?, version = version + 1 WHERE id = ?");
  const selectJournal = database.prepare(
    `SELECT number, json FROM journal WHERE conversation = ? AND at < ? AND json -> '$.details' IS NOT NULL LIMIT ${journalItemsPerPiece}`,
  );
  const updateJournal = database.prepare("UPDATE journal SET json = ? WHERE number = ?");
  const selectHandovers = database.prepare("SELECT id, json FROM handovers WHERE conversation = ?");
  const updateHandover = database.prepare("UPDATE handovers SET json = ? WHERE id = ?");
  const removeAddresses = database.prepare("DELETE FROM addresses WHERE handover = ?");
  const removeUnnamed = database.prepare("DELETE FROM inbox WHERE conversation = ? AND received_at < ? AND delivery_id IS NULL");
  const clearInbox = database.prepare("UPDATE inbox SET json = NULL WHERE conversation = ? AND received_at < ? AND json IS NOT NULL");
  const finish = database.prepare(
    `UPDATE conversations SET json = ?, user_id = CASE WHEN ? THEN NULL ELSE user_id END, content_from = ?, must_erase = 0,
       version = version + 1 WHERE id = ?`,
  );
  const mark = database.prepare("UPDATE conversations SET must_erase = 1 WHERE key = ?");
  const selectMarked = database.prepare(searches.marked);
  const selectOld = database.prepare(searches.old);
  const selectOfUser = database.prepare(searches.ofUser);
  const eraseMemory = database.prepare("DELETE FROM memory WHERE scope = ?");

  /** @returns the time of the oldest entry that stays, when nothing of the log is left to erase */
  function eraseLog(row: Row, beforeMs: number): "more" | { readonly nextAtMs: number | undefined; readonly through: number } {
    const rows = selectEntries.all(row.id, row.erasedThrough, entriesPerPiece) as unknown as { seq: number; json: string }[];
    const entries = rows.map(({ seq, json }): StoredEntry => ({ seq, ...(JSON.parse(json) as NewEntry) }));
    const { through = row.erasedThrough, nextAtMs } = oldEntries(entries, beforeMs);
    for (const { seq, ...entry } of entries) {
      if (seq <= through) updateEntry.run(JSON.stringify(entrySkeleton(entry)), row.id, seq);
    }
    const parts = selectParts.all(row.id, row.erasedThrough, through) as unknown as { position: number; json: string }[];
    for (const { position, json } of parts) updatePart.run(JSON.stringify(partSkeleton(JSON.parse(json) as PartRecord)), position);
    if (through > row.erasedThrough) moveOn.run(through, row.id);
    return nextAtMs === undefined && rows.length === entriesPerPiece ? "more" : { nextAtMs, through };
  }

  function eraseJournal(key: string, beforeMs: number): boolean {
    const rows = selectJournal.all(key, beforeMs) as unknown as { number: number; json: string }[];
    for (const { number, json } of rows) updateJournal.run(JSON.stringify(journalSkeleton(JSON.parse(json) as JournalItem)), number);
    return rows.length === journalItemsPerPiece;
  }

  /** Handovers that stand in the part of the log that was erased. */
  function eraseHandovers(conversation: number, through: number): void {
    for (const { id, json } of selectHandovers.all(conversation) as unknown as { id: string; json: string }[]) {
      const handover = JSON.parse(json) as HandoverRecord;
      if ((handover.ended?.seq ?? handover.requestedSeq) > through) continue;
      updateHandover.run(JSON.stringify(handoverSkeleton(handover)), id);
      removeAddresses.run(id);
    }
  }

  function finishRow(row: Row, through: number, logFromMs: number | undefined): void {
    const isEmpty = through >= row.lastSeq;
    const { user: _user, ...rest } = JSON.parse(row.json) as Partial<ConversationRecord>;
    const from = Math.min(logFromMs ?? Infinity, blobs.oldestMs(row.id) ?? Infinity);
    finish.run(isEmpty ? JSON.stringify(rest) : row.json, isEmpty ? 1 : 0, Number.isFinite(from) ? Math.floor(from) : null, row.id);
  }

  return {
    erasePiece(key, beforeMs) {
      const row = select.get(key) as Row | undefined;
      if (!row) return "erased";
      if (row.isOpen === 1) return "waiting";
      const log = eraseLog(row, beforeMs);
      if (log === "more") return "more";
      const limitMs = Number.isFinite(beforeMs) ? Math.floor(beforeMs) : Number.MAX_SAFE_INTEGER;
      if (eraseJournal(key, limitMs)) return "more";
      eraseHandovers(row.id, log.through);
      removeUnnamed.run(row.id, limitMs);
      clearInbox.run(row.id, limitMs);
      blobs.removeOld(row.id, limitMs);
      finishRow(row, log.through, log.nextAtMs);
      return "erased";
    },
    mark(key) {
      mark.run(key);
    },
    nextDue(beforeMs) {
      const marked = selectMarked.get() as { key: string } | undefined;
      if (marked) return { key: marked.key, isWhole: true };
      const old = beforeMs === undefined ? undefined : (selectOld.get(Math.floor(beforeMs)) as { key: string } | undefined);
      return old && { key: old.key, isWhole: false };
    },
    listOfUser({ user, endpoint, after = "", limit }) {
      const quoted = endpoint === undefined ? null : JSON.stringify(endpoint);
      return (selectOfUser.all(toColumnText(user), after, quoted, limit) as unknown as { key: string }[]).map(({ key }) => key);
    },
    eraseMemory(scope) {
      eraseMemory.run(toColumnText(scope));
    },
  };
}
