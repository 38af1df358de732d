import type { DatabaseSync } from "node:sqlite";

/**
 * The write-ahead log still has what was there before something was deleted: it is copied into the file, where that has been
 * overwritten by then, and cut off.
 */
export function clearLog(database: DatabaseSync): void {
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}
