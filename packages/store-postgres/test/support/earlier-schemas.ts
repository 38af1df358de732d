import { readFile } from "node:fs/promises";
import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import type { StoreData } from "@handover/testkit";
import { Client } from "pg";
import { migrations } from "../../src/migrations.ts";
import { administer, dropSchema, newSchema, sharedConnectionString } from "./use-postgres.ts";

/** Makes a schema of an earlier version, as its release left it. */
export async function writeEarlierSchema(connectionString: string, schema: string, version: number): Promise<void> {
  const fixture = await readFile(new URL(`../fixtures/schema-${version}.sql`, import.meta.url), "utf8");
  await administer(connectionString, fixture.replaceAll("%", schema));
}

/** A schema of an earlier version, for the suite. */
export async function prepareEarlierSchema(version: number): Promise<StoreData> {
  const connectionString = await sharedConnectionString();
  const schema = newSchema();
  const stores: Store[] = [];
  await writeEarlierSchema(connectionString, schema, version);
  return {
    create() {
      const store = createPostgresStore({ connectionString, schema, poolSize: 4 });
      stores.push(store);
      return store;
    },
    async makeNewer() {
      await administer(
        connectionString,
        `ALTER TABLE ${schema}.entries RENAME COLUMN record TO content; UPDATE ${schema}.store SET version = ${migrations.length + 1}`,
      );
      return async () => {
        await administer(
          connectionString,
          `ALTER TABLE ${schema}.entries RENAME COLUMN content TO record; UPDATE ${schema}.store SET version = ${migrations.length}`,
        );
      };
    },
    dieInUpgrade: () => dieInUpgrade(connectionString, schema, version),
    async cleanup() {
      await Promise.all(stores.map((store) => store.close()));
      await dropSchema(connectionString, schema);
    },
  };
}

/** Carries out all steps but the last word, and is cut off. */
async function dieInUpgrade(connectionString: string, schema: string, version: number): Promise<void> {
  const client = new Client({ connectionString });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await client.query("BEGIN");
  for (const step of migrations.slice(version)) await client.query(step(`"${schema}"`));
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  await administer(connectionString, "SELECT pg_terminate_backend($1, 10000)", [rows[0]?.pid]);
  await ended;
}
