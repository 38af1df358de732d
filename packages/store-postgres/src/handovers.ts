import type { HandoverRecord } from "@handover/runtime";
import { toColumnText, toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

export interface Handovers {
  read(id: string): Promise<HandoverRecord | undefined>;
  readOpen(key: string): Promise<readonly HandoverRecord[]>;
  listOpen(after: string, limit: number): Promise<readonly HandoverRecord[]>;
  /** The first reference that is known counts. */
  find(accountKey: string, references: readonly string[]): Promise<HandoverRecord | undefined>;
}

interface Row {
  readonly record: HandoverRecord;
}

export function createHandovers(database: Database, schema: string): Handovers {
  const select = `SELECT record FROM ${schema}.handovers WHERE id = $1`;
  const selectOpen = `SELECT record FROM ${schema}.handovers
    WHERE conversation = (SELECT id FROM ${schema}.conversations WHERE key = $1) AND is_open ORDER BY ordinal`;
  const selectAllOpen = `SELECT record FROM ${schema}.handovers WHERE is_open AND id > $1 ORDER BY id LIMIT $2`;
  const selectByReference = `SELECT handovers.record
    FROM unnest($2::text[]) WITH ORDINALITY AS given (reference, position)
    JOIN ${schema}.addresses ON account_key = $1 AND addresses.reference = given.reference
    JOIN ${schema}.handovers ON handovers.id = addresses.handover
    ORDER BY given.position LIMIT 1`;

  async function query(text: string, values: readonly unknown[]): Promise<readonly HandoverRecord[]> {
    return (await database.query<Row>(text, values)).map(({ record }) => record);
  }

  return {
    read: async (id) => (await query(select, [toColumnText(id)]))[0],
    readOpen: (key) => query(selectOpen, [toLookupText(key)]),
    listOpen: (after, limit) => query(selectAllOpen, [toColumnText(after), limit]),
    find: async (accountKey, references) => (await query(selectByReference, [toLookupText(accountKey), references.map(toLookupText)]))[0],
  };
}
