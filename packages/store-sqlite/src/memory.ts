import type { DatabaseSync } from "node:sqlite";
import type { Json } from "@handover/core";
import { toColumnText } from "./column-text.ts";

/** Small durable values. */
export interface MemoryTable {
  read(scope: string, key: string): Json | undefined;
  /** `undefined` deletes. */
  write(scope: string, key: string, value: Json | undefined): void;
  /** @returns the value that is there now */
  claim(scope: string, key: string, value: Json): Json;
}

export function createMemory(database: DatabaseSync): MemoryTable {
  const select = database.prepare("SELECT json FROM memory WHERE scope = ? AND key = ?");
  const upsert = database.prepare(
    "INSERT INTO memory (scope, key, json) VALUES (?, ?, ?) ON CONFLICT (scope, key) DO UPDATE SET json = excluded.json",
  );
  const insert = database.prepare("INSERT INTO memory (scope, key, json) VALUES (?, ?, ?) ON CONFLICT (scope, key) DO NOTHING");
  const remove = database.prepare("DELETE FROM memory WHERE scope = ? AND key = ?");

  function read(scope: string, key: string): Json | undefined {
    const row = select.get(toColumnText(scope), toColumnText(key)) as { json: string } | undefined;
    return row && (JSON.parse(row.json) as Json);
  }

  return {
    read,
    write(scope, key, value) {
      if (value === undefined) remove.run(toColumnText(scope), toColumnText(key));
      else upsert.run(toColumnText(scope), toColumnText(key), JSON.stringify(value));
    },
    claim(scope, key, value) {
      const { changes } = insert.run(toColumnText(scope), toColumnText(key), JSON.stringify(value));
      return changes === 1 ? value : (read(scope, key) as Json);
    },
  };
}
