import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Logger } from "@handover/core";
import { removeUnfinishedBlobs } from "./blobs.ts";
import { migrate, migrations, readSchemaVersion } from "./migrations.ts";
import { storeReadOnly, toStoreError } from "./store-error.ts";

/** How long a predecessor that is just closing may still hold the file. */
const busyTimeoutMs = 250;

/**
 * The write-ahead log is copied into the file when it has this many pages of 4 KiB. Pages that change again and again are then
 * copied once: under load that is worth more than a short log.
 */
const checkpointPages = 10_000;

/**
 * Opens the file for this process alone, with the current schema.
 *
 * @throws RuntimeError `STORE_IN_USE`, `STORE_READ_ONLY`, `STORE_NEWER`, `STORE_FAILED`
 */
export function openDatabase(path: string, logger?: Logger): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    prepareFile(path);
    database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    // Exclusive first: then the write-ahead log needs no shared memory, and the lock on the file itself goes with the process,
    // however that ends and whatever name the file was opened by.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const version = readSchemaVersion(database, path);
    // What is deleted or replaced is overwritten: erased content must not be found in the file.
    database.exec("PRAGMA secure_delete = ON");
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    migrate(database, version);
    if (version < migrations.length) logger?.info("store migrated", { from: version, to: migrations.length });
    releaseLeases(database);
    removeUnfinishedBlobs(database);
    return database;
  } catch (error) {
    database?.close();
    throw toStoreError(error, path);
  }
}

/** Makes folder and file, readable by this user only: conversations are private. */
function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (existsSync(path)) accessSync(path, constants.W_OK);
    else createFile(path);
  } catch (error) {
    throw isRefusedWrite(error) ? storeReadOnly(path, error) : error;
  }
}

/** Never opens a file that exists: closing it again would take this process's locks on it away (POSIX). */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Whoever held a lease went with the process that held the file. */
function releaseLeases(database: DatabaseSync): void {
  database.exec("UPDATE conversations SET owner = NULL WHERE owner IS NOT NULL");
}

function isRefusedWrite(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(errorCode(error) ?? "");
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
