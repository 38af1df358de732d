import { RuntimeError } from "@handover/runtime";
import type { Client } from "pg";
import { budget } from "./schema/budget.ts";
import { commitFunction } from "./schema/commit-function.ts";
import { content } from "./schema/content.ts";
import { inboxFunctions } from "./schema/inbox-functions.ts";
import { leaseFunctions } from "./schema/lease-functions.ts";
import { tables } from "./schema/tables.ts";
import { isHeldUp } from "./store-error.ts";

/**
 * Step n leads from schema version n to n + 1. A step that was released is never changed; a new one is added. Functions have
 * their version in their name: during a rolling upgrade instances of two releases are at work.
 */
export const migrations: readonly ((schema: string) => string)[] = [
  (schema) => [tables, leaseFunctions, inboxFunctions, commitFunction].map((part) => part(schema)).join("\n"),
  content,
  budget,
];

/** How often a migration is begun that instances at work, or a backup, have held up. */
const attemptsInAll = 20;
const longestPauseMs = 1_000;
const lockTimeoutMs = 2_000;

/** A name that needs no care wherever it stands. With what is made of it, it fits into the 63 bytes of a name. */
const schemaName = /^[a-z_][a-z0-9_]{0,49}$/;

/** The schema's name for use in statements. @throws RuntimeError `STORE_FAILED` */
export function quoteSchema(schema: string): string {
  if (schemaName.test(schema)) return `"${schema}"`;
  throw new RuntimeError(
    "STORE_FAILED",
    "The name of the schema cannot be used. It has up to 50 lower-case letters, digits and underscores, and begins with no digit.",
  );
}

/**
 * Brings the schema up to date: all steps in one transaction, one instance at a time.
 *
 * @returns the version that was there before
 * @throws RuntimeError `STORE_NEWER`, `STORE_FAILED` for a schema of another program
 */
export async function migrate(client: Client, schema: string, server: string, steps = migrations): Promise<number> {
  const current = await readSchemaVersion(client, schema, server, steps.length);
  if (current === steps.length) return current;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await migrateOnce(client, schema, server, steps);
    } catch (error) {
      if (attempt === attemptsInAll || !isHeldUp(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, longestPauseMs * Math.random()));
    }
  }
}

async function migrateOnce(client: Client, schema: string, server: string, steps: typeof migrations): Promise<number> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`handover migration ${schema}`]);
    // Whoever waits for a table holds up everybody who comes after: rather begin again than let running instances wait for long.
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    // Another instance may have done it while this one waited.
    const version = await readSchemaVersion(client, schema, server, steps.length);
    await carryOut(client, schema, version, steps);
    await client.query("COMMIT");
    return version;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function carryOut(client: Client, schema: string, version: number, steps: typeof migrations): Promise<void> {
  if (version === steps.length) return;
  const quoted = quoteSchema(schema);
  const { rowCount } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
  // Asked first: an existing schema needs no right to create one.
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${quoted}`);
  for (const step of steps.slice(version)) await client.query(step(quoted));
  await client.query(`INSERT INTO ${quoted}.store (version) VALUES ($1) ON CONFLICT (is_only) DO UPDATE SET version = excluded.version`, [
    steps.length,
  ]);
}

/** 0 when there is none. */
async function readSchemaVersion(client: Client, schema: string, server: string, known: number): Promise<number> {
  const quoted = quoteSchema(schema);
  const { rows } = await client.query<{ tables: number; ours: boolean }>(
    `SELECT count(*) AS tables, to_regclass($2) IS NOT NULL AS ours FROM pg_tables WHERE schemaname = $1`,
    [schema, `${quoted}.store`],
  );
  const [found] = rows;
  if (!found?.ours) {
    if (found && found.tables > 0) throw foreignSchema(schema, server);
    return 0;
  }
  const { rows: versions } = await client.query<{ version: number }>(`SELECT version FROM ${quoted}.store`);
  const version = versions[0]?.version ?? 0;
  if (version > known) throw storeNewer(schema, server, version, known);
  return version;
}

function foreignSchema(schema: string, server: string): RuntimeError {
  return new RuntimeError(
    "STORE_FAILED",
    `The schema "${schema}" in PostgreSQL at ${server} has tables of another program. Give the store a schema of its own.`,
  );
}

function storeNewer(schema: string, server: string, version: number, known: number): RuntimeError {
  return new RuntimeError(
    "STORE_NEWER",
    `The schema "${schema}" in PostgreSQL at ${server} was written by a newer release (schema ${version}, this release knows ${known}). Install that release or a newer one, or restore a backup made before the upgrade.`,
  );
}
