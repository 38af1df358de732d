import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";

/** A store on a file of its own, for tests that look into it; `remove` when the runtime has stopped. */
export async function createTemporaryStore(): Promise<{ readonly store: Store; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "handover-catalogue-"));
  return {
    store: createSqliteStore({ path: join(folder, "handover.db") }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
