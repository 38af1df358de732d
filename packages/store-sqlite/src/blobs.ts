import type { DatabaseSync } from "node:sqlite";
import type { BlobRecord, NewBlob, Store } from "@handover/runtime";
import { toColumnText } from "./column-text.ts";

/** Files, kept in pieces. */
export interface Blobs {
  /** Begins a file that nobody can read yet. @returns its number */
  begin(conversation: number, blob: NewBlob): number;
  add(number: number, position: number, bytes: Uint8Array): void;
  /** Makes it readable, unless another one with its id came first; then it goes. */
  finish(number: number, sizeBytes: number): void;
  /** One that can be read. */
  find(key: string, id: string): { readonly number: number; readonly blob: BlobRecord } | undefined;
  /** Those that can be read, the oldest first. */
  list(request: Parameters<Store["listBlobs"]>[0]): readonly BlobRecord[];
  read(number: number, position: number): Uint8Array | undefined;
  remove(number: number): void;
  /** Those of a conversation from before a time. */
  removeOld(conversation: number, beforeMs: number): void;
  /** When the oldest of a conversation came. */
  oldestMs(conversation: number): number | undefined;
}

interface Row {
  readonly number: number;
  readonly size: number;
  readonly json: string;
}

export function createBlobs(database: DatabaseSync): Blobs {
  const insert = database.prepare("INSERT INTO blobs (conversation, id, created_at, json) VALUES (?, ?, ?, ?)");
  const insertPiece = database.prepare("INSERT INTO blob_pieces (blob, position, bytes) VALUES (?, ?, ?)");
  const complete = database.prepare("UPDATE OR IGNORE blobs SET is_complete = 1, size = ? WHERE number = ?");
  const select = database.prepare(
    `SELECT number, size, blobs.json FROM blobs JOIN conversations ON conversations.id = blobs.conversation
     WHERE key = ? AND blobs.id = ? AND is_complete = 1`,
  );
  const listed = "SELECT number, size, blobs.json FROM blobs";
  const inTime = "is_complete = 1 AND created_at >= ?2 AND created_at < ?3 ORDER BY created_at, number LIMIT ?4";
  const selectOfConversation = database.prepare(
    `${listed} WHERE conversation = (SELECT id FROM conversations WHERE key = ?1) AND ${inTime}`,
  );
  const selectAll = database.prepare(`${listed} WHERE ?1 IS NULL AND ${inTime}`);
  const selectPiece = database.prepare("SELECT bytes FROM blob_pieces WHERE blob = ? AND position = ?");
  const remove = database.prepare("DELETE FROM blobs WHERE number = ?");
  const removeOld = database.prepare("DELETE FROM blobs WHERE conversation = ? AND created_at < ?");
  const selectOldest = database.prepare("SELECT min(created_at) AS oldest FROM blobs WHERE conversation = ?");

  return {
    begin(conversation, { create: _create, ...record }) {
      const { lastInsertRowid } = insert.run(conversation, toColumnText(record.id), Math.floor(record.createdAtMs), JSON.stringify(record));
      return Number(lastInsertRowid);
    },
    add(number, position, bytes) {
      insertPiece.run(number, position, bytes);
    },
    finish(number, sizeBytes) {
      if (complete.run(sizeBytes, number).changes === 0) remove.run(number);
    },
    find(key, id) {
      const row = select.get(key, toColumnText(id)) as Row | undefined;
      return row && { number: row.number, blob: toBlob(row) };
    },
    list({ conversation, fromMs = 0, beforeMs = Number.MAX_SAFE_INTEGER, limit }) {
      const select = conversation === undefined ? selectAll : selectOfConversation;
      return (select.all(conversation ?? null, Math.floor(fromMs), Math.floor(beforeMs), limit) as unknown as Row[]).map(toBlob);
    },
    read(number, position) {
      return (selectPiece.get(number, position) as { bytes: Uint8Array } | undefined)?.bytes;
    },
    remove(number) {
      remove.run(number);
    },
    removeOld(conversation, beforeMs) {
      removeOld.run(conversation, Math.min(beforeMs, Number.MAX_SAFE_INTEGER));
    },
    oldestMs(conversation) {
      return (selectOldest.get(conversation) as { oldest: number | null }).oldest ?? undefined;
    },
  };
}

function toBlob({ json, size }: Row): BlobRecord {
  return { ...(JSON.parse(json) as Omit<BlobRecord, "sizeBytes">), sizeBytes: size };
}

/** What a process that died left of files it was being sent. */
export function removeUnfinishedBlobs(database: DatabaseSync): void {
  database.exec("DELETE FROM blobs WHERE is_complete = 0");
}
