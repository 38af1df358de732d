import { blobPieces, RuntimeError } from "@handover/runtime";
import type { BlobRecord, NewBlob, Store, StoredBlob } from "@handover/runtime";
import { toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

const pieceBytes = 256 * 1024;
/** What was not finished by then never will be: its sender or its instance is gone. */
const unfinishedAfter = "1 day";

/** Files, kept in pieces. Each piece is a statement of its own, so a slow sender holds neither a connection nor a lock. */
export interface Blobs {
  /** The conversation is there. */
  put(blob: NewBlob, content: AsyncIterable<Uint8Array>, limits: Parameters<Store["putBlob"]>[2]): Promise<BlobRecord>;
  read(conversation: string, id: string): Promise<StoredBlob | undefined>;
  delete(conversation: string, id: string): Promise<boolean>;
  list(request: Parameters<Store["listBlobs"]>[0]): Promise<readonly BlobRecord[]>;
}

interface Row {
  readonly number: number;
  readonly size: number;
  readonly record: Omit<BlobRecord, "sizeBytes">;
}

export function createBlobs(database: Database, schema: string): Blobs {
  const ofConversation = `conversation = (SELECT id FROM ${schema}.conversations WHERE key = $1)`;
  const select = `SELECT number, size, record FROM ${schema}.blobs WHERE ${ofConversation} AND id = $2 AND is_complete`;
  const insert = `INSERT INTO ${schema}.blobs (conversation, id, created_at, record)
    SELECT id, $2, $3, $4::json FROM ${schema}.conversations WHERE key = $1 RETURNING number`;
  const insertPiece = `INSERT INTO ${schema}.blob_pieces (blob, position, bytes) SELECT number, $2, $3 FROM ${schema}.blobs WHERE number = $1
    RETURNING position`;
  const selectPiece = `SELECT bytes FROM ${schema}.blob_pieces WHERE blob = $1 AND position = $2`;
  const complete = `SELECT ${schema}.finish_blob_v1($1, $2) AS is_finished`;
  const removeOne = `DELETE FROM ${schema}.blobs WHERE number = $1`;
  const removeById = `DELETE FROM ${schema}.blobs WHERE ${ofConversation} AND id = $2 AND is_complete RETURNING number`;
  const inTime = "is_complete AND created_at >= $2 AND created_at < $3 ORDER BY created_at, number LIMIT $4";
  const listOfConversation = `SELECT number, size, record FROM ${schema}.blobs WHERE ${ofConversation} AND ${inTime}`;
  const listAll = `SELECT number, size, record FROM ${schema}.blobs WHERE $1::text IS NULL AND ${inTime}`;
  const removeUnfinished = `DELETE FROM ${schema}.blobs WHERE NOT is_complete AND begun_at < clock_timestamp() - interval '${unfinishedAfter}'`;

  async function find(conversation: string, id: string): Promise<{ number: number; blob: BlobRecord } | undefined> {
    const [row] = await database.query<Row>(select, [toLookupText(conversation), toLookupText(id)]);
    return row && { number: row.number, blob: toBlob(row) };
  }

  async function begin({ create: _create, ...record }: NewBlob): Promise<number> {
    await database.query(removeUnfinished);
    const place = [toLookupText(record.conversation), toLookupText(record.id)];
    const [row] = await database.query<{ number: number }>(insert, [...place, Math.floor(record.createdAtMs), JSON.stringify(record)]);
    if (row) return row.number;
    throw new RuntimeError("STORE_FAILED", "A file names a conversation that does not exist. Nothing was changed. Give `create` with it.");
  }

  async function transfer(number: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    let [sizeBytes, position] = [0, 0];
    for await (const piece of pieces) {
      sizeBytes += piece.byteLength;
      if ((await database.query(insertPiece, [number, position, piece])).length === 0) throw erasedMeanwhile();
      position += 1;
    }
    const [row] = await database.query<{ is_finished: boolean }>(complete, [number, sizeBytes]);
    if (!row?.is_finished) throw erasedMeanwhile();
  }

  async function* content(number: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
    for (let [sent, position] = [0, 0]; sent < sizeBytes; position += 1) {
      const [row] = await database.query<{ bytes: Uint8Array }>(selectPiece, [number, position]);
      if (!row) throw new RuntimeError("STORE_FAILED", "A file was deleted while it was read.");
      sent += row.bytes.byteLength;
      yield row.bytes;
    }
  }

  return {
    async put(blob, given, { maximumBytes }) {
      const known = await find(blob.conversation, blob.id);
      if (known) return known.blob;
      const number = await begin(blob);
      try {
        await transfer(number, blobPieces(given, { pieceBytes, maximumBytes }));
      } catch (error) {
        // What cannot be removed now goes with the unfinished ones.
        await database.query(removeOne, [number]).catch(() => undefined);
        throw error;
      }
      const found = await find(blob.conversation, blob.id);
      if (!found) throw erasedMeanwhile();
      return found.blob;
    },
    async read(conversation, id) {
      const found = await find(conversation, id);
      return found && { blob: found.blob, content: content(found.number, found.blob.sizeBytes) };
    },
    async list({ conversation, fromMs = 0, beforeMs = Number.MAX_SAFE_INTEGER, limit }) {
      const key = conversation === undefined ? null : toLookupText(conversation);
      const given = [key, Math.floor(fromMs), Math.floor(beforeMs), limit];
      return (await database.query<Row>(conversation === undefined ? listAll : listOfConversation, given)).map(toBlob);
    },
    async delete(conversation, id) {
      return (await database.query(removeById, [toLookupText(conversation), toLookupText(id)])).length > 0;
    },
  };
}

function toBlob({ record, size }: Row): BlobRecord {
  return { ...record, sizeBytes: size };
}

function erasedMeanwhile(): RuntimeError {
  return new RuntimeError("STORE_FAILED", "A file was erased while it was sent. Nothing of it was kept.");
}
