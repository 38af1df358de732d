import type { Logger } from "@handover/core";
import { RuntimeError } from "@handover/runtime";
import { Client } from "pg";
import type { ClientConfig } from "pg";
import { describeServer } from "./database.ts";
import { migrate, migrations, quoteSchema } from "./migrations.ts";
import { storeReadOnly, toStoreError } from "./store-error.ts";

interface Server {
  readonly is_replica: boolean;
  readonly encoding: string;
  readonly synchronous_commit: string;
  readonly fsync: string;
}

/**
 * Finds out whether the server can be relied on, and brings the schema up to date.
 *
 * @throws RuntimeError `STORE_READ_ONLY`, `STORE_NEWER`, `STORE_FAILED`
 */
export async function prepareDatabase(config: ClientConfig, schema: string, logger?: Logger): Promise<void> {
  const server = describeServer(config);
  // A connection of its own, whose statements may take as long as they need.
  const client = new Client(config);
  client.on("error", () => undefined);
  try {
    await client.connect();
    await checkServer(client, server, logger);
    const version = await migrate(client, schema, server);
    if (version < migrations.length) logger?.info("store migrated", { from: version, to: migrations.length });
    await client.query(stamp(schema));
  } catch (error) {
    throw toStoreError(error, server);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The smallest write there is, and so the proof that writing works. */
export function stamp(schema: string): string {
  return `UPDATE ${quoteSchema(schema)}.store SET checked_at = clock_timestamp()`;
}

async function checkServer(client: Client, server: string, logger?: Logger): Promise<void> {
  const { rows } = await client.query<Server>(
    `SELECT pg_is_in_recovery() AS is_replica, current_setting('server_encoding') AS encoding,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync`,
  );
  const [found] = rows;
  if (found?.is_replica) throw storeReadOnly(server);
  if (found?.encoding !== "UTF8")
    throw unusable(server, `has the encoding ${found?.encoding ?? "unknown"}. Create the database with the encoding UTF8.`);
  if (found.synchronous_commit === "off") {
    throw unusable(
      server,
      "has synchronous_commit off: what was accepted could be lost. Turn it on for the server, the database or the user.",
    );
  }
  if (found.fsync === "off") logger?.warn("PostgreSQL runs with fsync off: a crash of the machine can lose everything", { server });
}

function unusable(server: string, what: string): RuntimeError {
  return new RuntimeError("STORE_FAILED", `PostgreSQL at ${server} ${what}`);
}
