import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import type { StoreData } from "@handover/testkit";
import { migrations } from "../src/migrations.ts";
import type { StartProgram } from "./programs.ts";

/** Makes a store file of an earlier schema, as its release left it. */
export function writeEarlierFile(path: string, version: number): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(readFileSync(new URL(`./fixtures/schema-${version}.sql`, import.meta.url), "utf8"));
  database.close();
}

/** A store file of an earlier schema, for the suite. */
export async function prepareEarlierFile(version: number, start: StartProgram): Promise<StoreData> {
  const folder = await mkdtemp(join(tmpdir(), "handover-earlier-"));
  const path = join(folder, "handover.db");
  const stores: Store[] = [];
  writeEarlierFile(path, version);
  return {
    create() {
      const store = createSqliteStore({ path });
      stores.push(store);
      return store;
    },
    async makeNewer() {
      const before = await readFile(path);
      const database = new DatabaseSync(path);
      database.exec(`ALTER TABLE entries RENAME COLUMN json TO record; PRAGMA user_version = ${migrations.length + 1}`);
      database.close();
      return () => writeFile(path, before);
    },
    async dieInUpgrade() {
      const program = start("die-in-upgrade.ts", [path]);
      if ((await program.nextLine()) !== "half") throw new Error("The upgrade did not get half-way.");
      await program.kill();
    },
    async cleanup() {
      await Promise.all(stores.map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
}
