import type { Logger } from "@handover/core";
import { RuntimeError } from "@handover/runtime";
import { Client, Pool, types } from "pg";
import type { ClientConfig, PoolClient } from "pg";
import { isUndoneForAnother, leavesConnectionUsable, toStoreError } from "./store-error.ts";

/** Statements on a pool of connections. Each is a transaction of its own, so a transaction pooler may stand in between. */
export interface Database {
  /** @throws RuntimeError */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Takes no more statements, waits for those under way, and ends the connections. */
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;
const keepAliveAfterMs = 10_000;
const attemptsWhenUndone = 5;

/** Counters fit into a number of JavaScript. */
const typeParsers: NonNullable<ClientConfig["types"]> = {
  getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : (types.getTypeParser(oid, format) as (text: string) => unknown)),
};

/** @throws RuntimeError when the connection string cannot be read */
export function clientConfig(connectionString: string, name: string): ClientConfig {
  const config: ClientConfig = {
    connectionString,
    fallback_application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    types: typeParsers,
  };
  describeServer(config);
  return config;
}

/** Host, port and database; nothing secret. */
export function describeServer(config: ClientConfig): string {
  try {
    const { host, port, database } = new Client(config);
    return `${host}:${port}/${database ?? ""}`;
  } catch {
    // The error of the parser may repeat the string, which has the password.
    throw new RuntimeError(
      "STORE_FAILED",
      "The connection string of PostgreSQL cannot be read. It looks like postgres://user:password@host:5432/database; special characters in it are percent-encoded.",
    );
  }
}

export function createDatabase(config: ClientConfig, poolSize: number, logger?: Logger): Database {
  const server = describeServer(config);
  // Connections are kept: their number says nothing about the load, and a plan is made once.
  const pool = new Pool({ ...config, query_timeout: statementTimeoutMs, max: poolSize, idleTimeoutMillis: 0 });
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;
  pool.on("connect", (client) => void client.on("error", () => undefined));
  pool.on("error", (error) => logger?.warn("a connection of the store was lost", { error: error.name }));

  async function run<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const client = await pool.connect();
    let lost: Error | undefined;
    try {
      return (await client.query(text, [...values])).rows as Row[];
    } catch (error) {
      if (!leavesConnectionUsable(error)) lost = error as Error;
      throw error;
    } finally {
      release(client, lost);
    }
  }

  async function attempt<Row>(text: string, values: readonly unknown[], remaining: number): Promise<readonly Row[]> {
    try {
      return await run(text, values);
    } catch (error) {
      if (remaining > 1 && isUndoneForAnother(error)) return attempt(text, values, remaining - 1);
      throw toStoreError(error, server);
    }
  }

  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      if (isClosed) throw storeNotOpen();
      const running = attempt<Row>(text, values, attemptsWhenUndone);
      underWay.add(running);
      try {
        return await running;
      } finally {
        underWay.delete(running);
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await Promise.allSettled(underWay);
      await pool.end();
    },
  };
}

export function storeNotOpen(): RuntimeError {
  return new RuntimeError("STORE_FAILED", "The store is not open. Call open() first, and nothing after close().");
}

function release(client: PoolClient, lost: Error | undefined): void {
  if (lost) client.release(lost);
  else client.release();
}
