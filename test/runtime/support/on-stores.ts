import { describe } from "vitest";
import { withoutPostgres } from "../../../packages/store-postgres/test/support/use-postgres.ts";
import type { StoreName } from "./world-store.ts";

const missing = await withoutPostgres();

/** Stores that run on this machine: SQLite always; PostgreSQL is left out, with a word about it, where it does not run. */
export const storesHere: readonly StoreName[] = missing === undefined ? ["sqlite", "postgres"] : ["sqlite"];

/** Describes the same on each store. */
export function describeOnStores(title: string, define: (store: StoreName) => void): void {
  describe(`${title} (SQLite)`, () => define("sqlite"));
  describeOnPostgres(title, () => define("postgres"));
}

/** For what needs a store that several instances share. */
export function describeOnPostgres(title: string, define: () => void): void {
  describe.skipIf(missing)(`${title} (PostgreSQL)`, define);
}
