import type { DatabaseSync } from "node:sqlite";

/** Opens a file as durable as the store does: what has resolved survives the loss of power. */
export const durably =
  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000";

/**
 * The plainest group commit: what was asked for in one turn of the event loop is one transaction. When it fails, each is tried
 * again in a transaction of its own, so that one that fails takes no other with it.
 */
export function createGroupCommitLoop<Job, Result>(database: DatabaseSync, carryOut: (job: Job) => Result): (job: Job) => Promise<Result> {
  interface Waiting {
    readonly job: Job;
    readonly resolve: (result: Result) => void;
    readonly reject: (error: unknown) => void;
  }
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  let waiting: Waiting[] = [];

  function carryOutAll(all: readonly Waiting[]): void {
    try {
      begin.run();
      const results = all.map(({ job }) => carryOut(job));
      commit.run();
      all.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      if (all.length === 1) all[0]?.reject(error);
      else for (const one of all) carryOutAll([one]);
    }
  }

  return (job) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) {
        setImmediate(() => {
          const all = waiting;
          waiting = [];
          carryOutAll(all);
        });
      }
      waiting.push({ job, resolve, reject });
    });
}
