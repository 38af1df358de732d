import { randomUUID } from "node:crypto";
import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import type { PostgresStoreOptions } from "@handover/store-postgres";
import { Client } from "pg";
import { onTestFinished } from "vitest";
import { sharedPostgres } from "./postgres.ts";

/** Why tests are left out on this machine; absent where PostgreSQL runs. */
export async function withoutPostgres(): Promise<string | undefined> {
  const found = await sharedPostgres();
  if ("server" in found) return undefined;
  console.warn(`Left out: tests with PostgreSQL (${found.missing}).`);
  return found.missing;
}

/** The server that all tests share, where each has a schema of its own. */
export async function sharedConnectionString(): Promise<string> {
  const found = await sharedPostgres();
  if ("missing" in found) throw new Error(found.missing);
  return found.server.connectionString;
}

export function newSchema(): string {
  return `test_${randomUUID().replaceAll("-", "")}`;
}

/** Runs statements as the server's administrator. */
export async function administer<Row>(connectionString: string, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Row[];
  } finally {
    await client.end();
  }
}

export async function dropSchema(connectionString: string, schema: string): Promise<void> {
  await administer(connectionString, `SET client_min_messages = warning; DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

/** Instances on one schema of the shared server. */
export interface TestSchema {
  readonly connectionString: string;
  readonly schema: string;
  /** Another instance, open. */
  open(options?: Partial<PostgresStoreOptions>): Promise<Store>;
  /** Statements beside the store; `%` stands for the schema. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A schema for the test that runs; it is gone, with all instances on it, when the test and its own cleanups are over. */
export async function newTestSchema(): Promise<TestSchema> {
  const connectionString = await sharedConnectionString();
  const schema = newSchema();
  const stores: Store[] = [];
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await dropSchema(connectionString, schema);
  });
  return {
    connectionString,
    schema,
    async open(options) {
      const store = createPostgresStore({ connectionString, schema, poolSize: 4, ...options });
      stores.push(store);
      await store.open();
      return store;
    },
    query: (text, values) => administer(connectionString, text.replaceAll("%", schema), values),
  };
}

const patienceMs = 15_000;
const pauseMs = 10;

/** Asks again and again until the answer is there. @throws Error that says what did not come */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
): Promise<Answer> {
  const patience = AbortSignal.timeout(patienceMs);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (patience.aborted) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
