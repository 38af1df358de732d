import type { NewEntry, StoredEntry } from "@handover/runtime";
import { toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

export interface Entries {
  readAfter(key: string, after: number, limit: number): Promise<readonly StoredEntry[]>;
  find(key: string, source: string, id: string): Promise<StoredEntry | undefined>;
}

interface Row {
  readonly seq: number;
  readonly record: NewEntry;
}

export function createEntries(database: Database, schema: string): Entries {
  const ofConversation = `SELECT seq, record FROM ${schema}.entries
    WHERE conversation = (SELECT id FROM ${schema}.conversations WHERE key = $1)`;
  const selectAfter = `${ofConversation} AND seq > $2 ORDER BY seq LIMIT $3`;
  const selectById = `${ofConversation} AND source = $2 AND source_id = $3`;

  return {
    async readAfter(key, after, limit) {
      return (await database.query<Row>(selectAfter, [toLookupText(key), after, limit])).map(toEntry);
    },
    async find(key, source, id) {
      const [row] = await database.query<Row>(selectById, [toLookupText(key), toLookupText(source), toLookupText(id)]);
      return row && toEntry(row);
    },
  };
}

function toEntry({ seq, record }: Row): StoredEntry {
  return { seq, ...record };
}
