import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";
import type { HandoverRecord, JournalItem, PartRecord, Store, StoredEntry } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { createSqliteStore } from "@handover/store-sqlite";
import type { HostPlan } from "../host/host-plan.ts";

/** What the store knows of one conversation. */
export interface StoredConversation {
  readonly log: readonly StoredEntry[];
  readonly handovers: readonly HandoverRecord[];
  readonly journal: readonly JournalItem[];
  readonly markedParts: ReadonlySet<string>;
  readonly unsureParts: ReadonlySet<string>;
  readonly cutShort: ReadonlySet<string>;
  /** Parts as they are stored, for a trace. */
  readonly parts: readonly PartRecord[];
}

/** Reads what hosts have stored, when none of them runs. Records come through the store; what it does not list, out of its tables. */
export interface LogReader {
  read(endpoint: string, conversation: string): Promise<StoredConversation>;
  close(): Promise<void>;
}

interface Tables {
  /** Rows of a statement in which `%` is the prefix of tables, `#` the column with the record. */
  rows(text: string, parameter: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function openLogReader(where: HostPlan["store"]): Promise<LogReader> {
  // Beside an open store, a SQLite file takes nobody: its tables are read first.
  const store = where.kind === "sqlite" ? createSqliteStore({ path: where.path }) : createPostgresStore({ ...where, poolSize: 2 });
  const tables = where.kind === "sqlite" ? openSqliteTables(where.path) : await openPostgresTables(where.connectionString, where.schema);
  if (where.kind === "postgres") await store.open();
  const raw = new Map<string, { handovers: readonly string[]; journal: readonly string[]; parts: readonly string[] }>();

  async function readTables(key: string) {
    const known = raw.get(key);
    if (known) return known;
    const handovers = await tables.rows(
      "SELECT h.id AS value FROM %handovers h JOIN %conversations c ON c.id = h.conversation WHERE c.key = ? ORDER BY h.ordinal",
      key,
    );
    const journal = await tables.rows("SELECT # AS value FROM %journal WHERE conversation = ? ORDER BY number", key);
    const parts = await tables.rows(
      "SELECT p.# AS value FROM %parts p JOIN %handovers h ON h.id = p.handover JOIN %conversations c ON c.id = h.conversation WHERE c.key = ? ORDER BY p.position",
      key,
    );
    const found = { handovers, journal, parts };
    raw.set(key, found);
    return found;
  }

  return {
    async read(endpoint, conversation) {
      const key = `${endpoint}/${encodeURIComponent(conversation)}`;
      const { handovers: ids, journal, parts } = await readTables(key);
      if (where.kind === "sqlite") await store.open();
      const log = await readEntries(store, key);
      const handovers: HandoverRecord[] = [];
      for (const id of ids) {
        const record = await store.readHandover(id);
        if (record) handovers.push(record);
      }
      if (where.kind === "sqlite") await store.close();
      const records = parts.map((text) => JSON.parse(text) as PartRecord);
      return {
        log,
        handovers,
        journal: journal.map((text) => JSON.parse(text) as JournalItem),
        markedParts: new Set(records.filter(({ isPossiblyDuplicated }) => isPossiblyDuplicated).map(nameOf)),
        unsureParts: new Set(records.filter(({ status, calls }) => status === "failed" && calls > 0).map(nameOf)),
        cutShort: new Set(records.filter(({ status }) => status === "failed").map(({ handover }) => handover)),
        parts: records,
      };
    },
    async close() {
      await store.close();
      await tables.close();
    },
  };
}

function nameOf({ handover, seq }: PartRecord): string {
  return `${handover}/${seq}`;
}

async function readEntries(store: Store, key: string): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for (;;) {
    const page = await store.readEntries(key, { after: entries.at(-1)?.seq ?? 0, limit: 500 });
    entries.push(...page);
    if (page.length < 500) return entries;
  }
}

/** Opens the file for each statement, so that the store may open it in between. */
function openSqliteTables(path: string): Tables {
  return {
    async rows(text, parameter) {
      const database = new DatabaseSync(path, { readOnly: true });
      try {
        const rows = database.prepare(text.replaceAll("%", "").replaceAll("#", "json")).all(parameter);
        return rows.map(({ value }) => String(value));
      } finally {
        database.close();
      }
    },
    close: async () => undefined,
  };
}

interface PgClient {
  connect(): Promise<void>;
  query(text: string, values: readonly unknown[]): Promise<{ rows: { value: unknown }[] }>;
  end(): Promise<void>;
}

async function openPostgresTables(connectionString: string, schema: string): Promise<Tables> {
  const require = createRequire(new URL("../../../packages/store-postgres/package.json", import.meta.url));
  const { Client } = require("pg") as { Client: new (options: { connectionString: string }) => PgClient };
  const client = new Client({ connectionString });
  await client.connect();
  return {
    async rows(text, parameter) {
      const statement = text.replaceAll("%", `${schema}.`).replaceAll("#", "record").replace("?", "$1");
      const { rows } = await client.query(statement, [parameter]);
      return rows.map(({ value }) => (typeof value === "string" ? value : JSON.stringify(value)));
    },
    close: () => client.end(),
  };
}
