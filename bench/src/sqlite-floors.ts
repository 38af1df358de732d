import { DatabaseSync } from "node:sqlite";
import type { NewEntry } from "@handover/runtime";
import { createGroupCommitLoop, durably } from "./group-commit-loop.ts";

/** A log on bare `node:sqlite`. */
export interface SqliteFloor {
  /** @returns the number of the entry */
  append(message: Message): Promise<number>;
  close(): void;
}

export interface Message {
  readonly conversation: string;
  readonly entry: NewEntry;
}

/**
 * The least that keeps what the store promises about a message: durable when it resolves, numbers without holes, no message twice, a
 * conversation that knows that there is something to do, and a failure that takes no other with it. Three statements; a table of
 * conversations with four columns and one of entries that is the store's own, without its foreign key.
 */
export function openLog(path: string, conversations: readonly string[]): SqliteFloor {
  const database = new DatabaseSync(path);
  database.exec(durably);
  database.exec(`
    CREATE TABLE conversations (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, activity INTEGER NOT NULL, last_seq INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entries (
      conversation INTEGER NOT NULL, seq INTEGER NOT NULL, source TEXT NOT NULL, source_id TEXT NOT NULL, json TEXT NOT NULL,
      UNIQUE (conversation, seq), UNIQUE (conversation, source, source_id)
    ) STRICT;
  `);
  const create = database.prepare("INSERT INTO conversations (key, activity, last_seq) VALUES (?, 0, 0)");
  for (const key of conversations) create.run(key);
  const select = database.prepare("SELECT id, last_seq FROM conversations WHERE key = ?");
  const insert = database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (conversation, source, source_id) DO NOTHING");
  const selectSeq = database.prepare("SELECT seq FROM entries WHERE conversation = ? AND source = ? AND source_id = ?");
  const update = database.prepare("UPDATE conversations SET activity = activity + 1, last_seq = ? WHERE id = ?");

  const append = createGroupCommitLoop(database, ({ conversation, entry }: Message): number => {
    const row = select.get(conversation) as { id: number; last_seq: number };
    const seq = row.last_seq + 1;
    if (insert.run(row.id, seq, entry.source, entry.id, JSON.stringify(entry)).changes === 0) {
      return (selectSeq.get(row.id, entry.source, entry.id) as { seq: number }).seq;
    }
    update.run(seq, row.id);
    return seq;
  });
  return { append, close: () => database.close() };
}

/**
 * No log at all: rows put into a table without a single index, numbered in memory. It can neither tell a message that comes twice nor
 * read a conversation, so nothing that can may be as fast; it shows what the disk and the calls cost alone.
 */
export function openHeap(path: string): SqliteFloor {
  const database = new DatabaseSync(path);
  database.exec(`${durably}; CREATE TABLE entries (conversation TEXT NOT NULL, seq INTEGER NOT NULL, json TEXT NOT NULL) STRICT`);
  const insert = database.prepare("INSERT INTO entries VALUES (?, ?, ?)");
  const lastSeqs = new Map<string, number>();
  const append = createGroupCommitLoop(database, ({ conversation, entry }: Message): number => {
    const seq = (lastSeqs.get(conversation) ?? 0) + 1;
    lastSeqs.set(conversation, seq);
    insert.run(conversation, seq, JSON.stringify(entry));
    return seq;
  });
  return { append, close: () => database.close() };
}
