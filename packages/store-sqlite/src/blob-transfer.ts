import type { DatabaseSync } from "node:sqlite";
import { blobPieces, RuntimeError } from "@handover/runtime";
import type { BlobRecord, NewBlob, Store, StoredBlob } from "@handover/runtime";
import { clearLog } from "./clear-log.ts";
import type { WriteQueue } from "./group-commit.ts";
import type { Tables } from "./tables.ts";

const pieceBytes = 64 * 1024;

/** What a transfer needs of an open store. */
export interface TransferStore {
  readonly database: DatabaseSync;
  readonly tables: Tables;
  readonly queue: WriteQueue;
}

/** Each piece is a write of its own: a slow sender holds up nobody. */
export async function putBlob(
  store: TransferStore,
  blob: NewBlob,
  content: AsyncIterable<Uint8Array>,
  { maximumBytes }: Parameters<Store["putBlob"]>[2],
): Promise<BlobRecord> {
  const { tables, queue } = store;
  const known = tables.blobs.find(blob.conversation, blob.id);
  if (known) return known.blob;
  const number = await queue.add(() => begin(tables, blob));
  try {
    let [sizeBytes, position] = [0, 0];
    for await (const piece of blobPieces(content, { pieceBytes, maximumBytes })) {
      sizeBytes += piece.byteLength;
      await queue.add(() => tables.blobs.add(number, position, piece));
      position += 1;
    }
    return await queue.add(() => finish(tables, blob, number, sizeBytes));
  } catch (error) {
    // What cannot be removed now goes when the store is opened again.
    await remove(store, number).catch(() => undefined);
    throw error;
  }
}

function begin(tables: Tables, blob: NewBlob): number {
  const { conversation, create } = blob;
  const row = tables.conversations.find(conversation) ?? (create && tables.conversations.create(conversation, create));
  if (row) return tables.blobs.begin(row.id, blob);
  throw new RuntimeError("STORE_FAILED", "A file names a conversation that does not exist. Nothing was changed. Give `create` with it.");
}

function finish(tables: Tables, { conversation, id, createdAtMs }: NewBlob, number: number, sizeBytes: number): BlobRecord {
  tables.blobs.finish(number, sizeBytes);
  const row = tables.conversations.find(conversation);
  const found = tables.blobs.find(conversation, id);
  if (!row || !found) throw new RuntimeError("STORE_FAILED", "A file was erased while it was sent. Nothing of it was kept.");
  tables.conversations.noteContent(row.id, createdAtMs);
  return found.blob;
}

export async function deleteBlob(store: TransferStore, conversation: string, id: string): Promise<boolean> {
  const found = store.tables.blobs.find(conversation, id);
  if (found) await remove(store, found.number);
  return found !== undefined;
}

async function remove({ database, queue, tables }: TransferStore, number: number): Promise<void> {
  await queue.add(() => tables.blobs.remove(number));
  clearLog(database);
}

export function readBlob({ tables }: TransferStore, conversation: string, id: string): StoredBlob | undefined {
  const found = tables.blobs.find(conversation, id);
  return found && { blob: found.blob, content: read(tables, found.number, found.blob.sizeBytes) };
}

async function* read(tables: Tables, number: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let [sent, position] = [0, 0]; sent < sizeBytes; position += 1) {
    const piece = tables.blobs.read(number, position);
    if (!piece) throw new RuntimeError("STORE_FAILED", "A file was deleted while it was read.");
    sent += piece.byteLength;
    yield piece;
  }
}
