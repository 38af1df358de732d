import type { DatabaseSync } from "node:sqlite";
import type { NewEntry, StoredEntry } from "@handover/runtime";
import { toColumnText } from "./column-text.ts";

export interface Appended {
  /** One for each entry, an old one for a repeat. */
  readonly seqs: readonly number[];
  readonly added: number;
}

export interface Entries {
  append(conversation: number, lastSeq: number, entries: readonly NewEntry[]): Appended;
  readAfter(key: string, after: number, limit: number): readonly StoredEntry[];
  find(key: string, source: string, id: string): StoredEntry | undefined;
}

interface Row {
  readonly seq: number;
  readonly json: string;
}

export function createEntries(database: DatabaseSync): Entries {
  const insert = database.prepare(
    `INSERT INTO entries (conversation, seq, source, source_id, json) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (conversation, source, source_id) DO NOTHING`,
  );
  const selectSeq = database.prepare("SELECT seq FROM entries WHERE conversation = ? AND source = ? AND source_id = ?");
  const fromConversation =
    "SELECT seq, entries.json FROM entries JOIN conversations ON conversations.id = entries.conversation WHERE key = ?";
  const selectAfter = database.prepare(`${fromConversation} AND seq > ? ORDER BY seq LIMIT ?`);
  const selectById = database.prepare(`${fromConversation} AND source = ? AND source_id = ?`);

  return {
    append(conversation, lastSeq, entries) {
      let next = lastSeq + 1;
      const seqs = entries.map((entry) => {
        const [source, id] = [toColumnText(entry.source), toColumnText(entry.id)];
        const { changes } = insert.run(conversation, next, source, id, JSON.stringify(entry));
        return changes === 1 ? next++ : (selectSeq.get(conversation, source, id) as { seq: number }).seq;
      });
      return { seqs, added: next - 1 - lastSeq };
    },
    readAfter(key, after, limit) {
      return (selectAfter.all(key, after, limit) as unknown as Row[]).map(toEntry);
    },
    find(key, source, id) {
      const row = selectById.get(key, toColumnText(source), toColumnText(id)) as Row | undefined;
      return row && toEntry(row);
    },
  };
}

function toEntry({ seq, json }: Row): StoredEntry {
  return { seq, ...(JSON.parse(json) as NewEntry) };
}
