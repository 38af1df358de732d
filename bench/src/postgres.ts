import { randomUUID } from "node:crypto";
import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import pg from "pg";
import type { Contender, OpenContender } from "./compare.ts";
import { commitOf, conversationOf, conversationsOf, entryOf } from "./workload.ts";
import type { Workload } from "./workload.ts";

const poolSize = 10;

/** The PostgreSQL store. */
export function postgresStore(connectionString: string, workload: Workload): Contender {
  return withConversations(connectionString, workload, async (store) => ({
    call: (index) => store.commit(commitOf(conversationOf(index, workload), [entryOf(index)])),
    close: async () => undefined,
  }));
}

/** A bare pool that calls the same function of the database with the same request. */
export function postgresFunction(connectionString: string, workload: Workload): Contender {
  return withConversations(connectionString, workload, async (_store, schema) => {
    const pool = new pg.Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 });
    const statement = `SELECT ${schema}.commit_v1($1) AS answer`;
    return { call: (index) => pool.query(statement, [requestOf(index, workload)]), close: () => pool.end() };
  });
}

/** What the store sends for a message, written by hand. */
function requestOf(index: number, workload: Workload): string {
  const key = conversationOf(index, workload);
  const entry = entryOf(index);
  const address = JSON.stringify({ endpoint: "web", conversation: key.slice("web/".length) });
  return JSON.stringify({ key, address, append: [{ source: entry.source, id: entry.id, record: JSON.stringify(entry) }] });
}

/**
 * A bare pool that carries out what the function does for a message, statement by statement, in a transaction: the conversation
 * locked, the entry unless it is there, the conversation changed.
 */
export function postgresTransaction(connectionString: string, workload: Workload): Contender {
  return withConversations(connectionString, workload, async (_store, schema) => {
    const pool = new pg.Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 });
    const select = `SELECT id, last_seq FROM ${schema}.conversations WHERE key = $1 FOR NO KEY UPDATE`;
    const insert = `INSERT INTO ${schema}.entries (conversation, seq, source, source_id, record) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (conversation, source, source_id) DO NOTHING`;
    const update = `UPDATE ${schema}.conversations SET last_seq = $2, activity = activity + 1,
      claimable_at = least(claimable_at, clock_timestamp()) WHERE id = $1`;
    async function append(index: number): Promise<void> {
      const entry = entryOf(index);
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const { rows } = await client.query<{ id: string; last_seq: string }>(select, [conversationOf(index, workload)]);
        const [row] = rows;
        const seq = Number(row?.last_seq) + 1;
        const { rowCount } = await client.query(insert, [row?.id, seq, entry.source, entry.id, JSON.stringify(entry)]);
        if (rowCount === 1) await client.query(update, [row?.id, seq]);
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    }
    return { call: append, close: () => pool.end() };
  });
}

/** In a schema that the store has made, with its conversations. */
function withConversations(
  connectionString: string,
  workload: Workload,
  open: (store: Store, schema: string) => Promise<OpenContender>,
): Contender {
  return inFreshSchema(connectionString, async (schema) => {
    const store = createPostgresStore({ connectionString, schema, poolSize });
    await store.open();
    await Promise.all(conversationsOf(workload).map((conversation) => store.commit(commitOf(conversation, []))));
    const opened = await open(store, schema);
    return {
      call: opened.call,
      async close() {
        await opened.close();
        await store.close();
      },
    };
  });
}

/** Hands over the name of a schema that is gone after the round. */
export function inFreshSchema(connectionString: string, open: (schema: string) => Promise<OpenContender>): Contender {
  return {
    async open() {
      const schema = `bench_${randomUUID().replaceAll("-", "")}`;
      const opened = await open(schema);
      return {
        call: opened.call,
        async close() {
          await opened.close();
          await ask(connectionString, `SET client_min_messages = warning; DROP SCHEMA ${schema} CASCADE`);
        },
      };
    },
  };
}

/** One statement on a connection of its own. */
export async function ask<Row extends pg.QueryResultRow>(connectionString: string, statement: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}
