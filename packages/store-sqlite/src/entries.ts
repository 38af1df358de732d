import type { DatabaseSync } from "node:sqlite";
import { amendEntry } from "@handover/runtime";
import type { EntryAmendment, NewEntry, StoredEntry } from "@handover/runtime";
import { toColumnText } from "./column-text.ts";

export interface Appended {
  /** One for each entry, an old one for a repeat. */
  readonly seqs: readonly number[];
  readonly added: number;
}

export interface Entries {
  append(conversation: number, lastSeq: number, entries: readonly NewEntry[]): Appended;
  amend(conversation: number, amendments: readonly EntryAmendment[]): void;
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
  const selectOne = database.prepare("SELECT json FROM entries WHERE conversation = ? AND seq = ?");
  const update = database.prepare("UPDATE entries SET json = ? WHERE conversation = ? AND seq = ?");
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
    amend(conversation, amendments) {
      for (const { seq, ...amendment } of amendments) {
        const row = selectOne.get(conversation, seq) as { json: string } | undefined;
        if (!row) continue;
        const entry = JSON.parse(row.json) as NewEntry;
        const amended = amendEntry(entry, amendment);
        if (amended !== entry) update.run(JSON.stringify(amended), conversation, seq);
      }
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
