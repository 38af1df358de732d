import { amendEntry, deliveryOfRank } from "@handover/runtime";
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
  /** What was learned later: the rank of a delivery state. */
  readonly delivery: number | null;
  readonly is_possibly_duplicated: boolean | null;
}

export function createEntries(database: Database, schema: string): Entries {
  const ofConversation = `SELECT seq, record, delivery, is_possibly_duplicated FROM ${schema}.entries
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

function toEntry({ seq, record, delivery: rank, is_possibly_duplicated: isPossiblyDuplicated }: Row): StoredEntry {
  const delivery = rank === null ? undefined : deliveryOfRank(rank);
  return amendEntry({ seq, ...record }, { ...(delivery ? { delivery } : {}), ...(isPossiblyDuplicated ? { isPossiblyDuplicated } : {}) });
}
