import type { DatabaseSync } from "node:sqlite";
import { RuntimeError } from "@handover/runtime";
import { contentMigration } from "./content-migration.ts";

/** Marks a file as ours: "HoSt" in ASCII. */
const applicationId = 0x486f5374;

/**
 * Step n leads from schema version n to n + 1. A step that was released is never changed; a new one is added.
 *
 * Ids from outside are kept in the form of `toColumnText`. Columns named `json` hold the record, the columns beside it are what
 * is looked up or counted. Entries lie in the order of arrival, not of conversations: one transaction writes entries of many
 * conversations, and so fills few pages.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL DEFAULT 0,
    activity INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX conversations_due ON conversations (due_at) WHERE due_at IS NOT NULL AND owner IS NULL;
  CREATE INDEX conversations_held ON conversations (id) WHERE owner IS NOT NULL;

  CREATE TABLE entries (
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    seq INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (conversation, seq),
    UNIQUE (conversation, source, source_id)
  ) STRICT;

  CREATE TABLE handovers (
    id TEXT PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    ordinal INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX handovers_of_conversation ON handovers (conversation, ordinal);
  CREATE INDEX handovers_open ON handovers (id) WHERE is_open = 1;

  CREATE TABLE parts (
    position INTEGER PRIMARY KEY,
    handover TEXT NOT NULL REFERENCES handovers (id),
    attempt INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    vendor_message_id TEXT,
    is_open INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (handover, attempt, seq, number)
  ) STRICT;
  CREATE INDEX parts_open ON parts (handover, attempt, position) WHERE is_open = 1;
  CREATE INDEX parts_vendor ON parts (handover, vendor_message_id) WHERE vendor_message_id IS NOT NULL;

  CREATE TABLE addresses (
    account_key TEXT NOT NULL,
    reference TEXT NOT NULL,
    handover TEXT NOT NULL REFERENCES handovers (id),
    PRIMARY KEY (account_key, reference)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX addresses_of_handover ON addresses (handover);

  CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account_key TEXT NOT NULL,
    delivery_id TEXT,
    handover TEXT REFERENCES handovers (id),
    conversation INTEGER REFERENCES conversations (id),
    received_at INTEGER NOT NULL,
    json TEXT
  ) STRICT;
  CREATE UNIQUE INDEX inbox_known ON inbox (account_key, delivery_id) WHERE delivery_id IS NOT NULL;
  CREATE INDEX inbox_waiting ON inbox (conversation, number) WHERE json IS NOT NULL AND conversation IS NOT NULL;
  CREATE INDEX inbox_parked ON inbox (received_at) WHERE handover IS NULL;

  CREATE TABLE parked (
    account_key TEXT NOT NULL,
    reference TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES inbox (number) ON DELETE CASCADE,
    PRIMARY KEY (account_key, reference, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX parked_number ON parked (number);

  CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    conversation TEXT,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX journal_of_conversation ON journal (conversation, number) WHERE conversation IS NOT NULL;
  CREATE INDEX journal_at ON journal (at);

  CREATE TABLE memory (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (scope, key)
  ) STRICT, WITHOUT ROWID;
  `,
  contentMigration,
];

/**
 * Reads the version of the schema, and changes nothing.
 *
 * @throws RuntimeError `STORE_NEWER`, `STORE_FAILED` for a database of another program
 */
export function readSchemaVersion(database: DatabaseSync, path: string, known = migrations.length): number {
  const version = readPragma(database, "user_version");
  refuseForeign(database, path, version);
  refuseNewer(path, version, known);
  return version;
}

/**
 * Brings the schema up to date, all steps in one transaction. It writes even when there is nothing to do: a store that cannot be
 * written to is found out here.
 */
export function migrate(database: DatabaseSync, from: number, steps: readonly string[] = migrations): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of steps.slice(from)) database.exec(step);
    database.exec(`PRAGMA application_id = ${applicationId}`);
    stampVersion(database, steps.length);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Writes the version into the file's header: the smallest write there is, and so the proof that writing works. */
export function stampVersion(database: DatabaseSync, version: number = migrations.length): void {
  database.exec(`PRAGMA user_version = ${version}`);
}

function refuseForeign(database: DatabaseSync, path: string, version: number): void {
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
  const isEmpty = tables.count === 0 && version === 0;
  if (isEmpty || readPragma(database, "application_id") === applicationId) return;
  throw new RuntimeError("STORE_FAILED", `The file "${path}" is a database of another program. Name another file for the store.`);
}

function refuseNewer(path: string, version: number, known: number): void {
  if (version <= known) return;
  throw new RuntimeError(
    "STORE_NEWER",
    `The store file "${path}" was written by a newer release (schema ${version}, this release knows ${known}). Install that release or a newer one, or restore a backup made before the upgrade.`,
  );
}

function readPragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}
