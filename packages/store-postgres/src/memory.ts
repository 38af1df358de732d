import type { Json } from "@handover/core";
import { toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

/** Small durable values. */
export interface MemoryTable {
  read(scope: string, key: string): Promise<Json | undefined>;
  /** `undefined` deletes. */
  write(scope: string, key: string, value: Json | undefined): Promise<void>;
  /** @returns the value that is there now */
  claim(scope: string, key: string, value: Json): Promise<Json>;
}

interface Row {
  readonly value: Json;
}

export function createMemory(database: Database, schema: string): MemoryTable {
  const select = `SELECT value FROM ${schema}.memory WHERE scope = $1 AND key = $2`;
  const insert = `INSERT INTO ${schema}.memory (scope, key, value) VALUES ($1, $2, $3) ON CONFLICT (scope, key)`;
  const upsert = `${insert} DO UPDATE SET value = excluded.value`;
  // The update changes nothing; it makes the row that is there come back, in one statement.
  const claim = `${insert} DO UPDATE SET key = excluded.key RETURNING value`;
  const remove = `DELETE FROM ${schema}.memory WHERE scope = $1 AND key = $2`;

  return {
    async read(scope, key) {
      return (await database.query<Row>(select, [toLookupText(scope), toLookupText(key)]))[0]?.value;
    },
    async write(scope, key, value) {
      const place = [toLookupText(scope), toLookupText(key)];
      await (value === undefined ? database.query(remove, place) : database.query(upsert, [...place, JSON.stringify(value)]));
    },
    async claim(scope, key, value) {
      const [row] = await database.query<Row>(claim, [toLookupText(scope), toLookupText(key), JSON.stringify(value)]);
      return (row as Row).value;
    },
  };
}
