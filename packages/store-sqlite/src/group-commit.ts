import type { DatabaseSync } from "node:sqlite";

/** Conversations that a write has changed. */
export type Touched = Set<string>;

/** Carries writes out together. */
export interface WriteQueue {
  /** Resolves when the write is durable; rejects when it left no trace. */
  add<Result>(write: (touched: Touched) => Result): Promise<Result>;
  /** Carries out what is waiting, now. */
  finish(): void;
}

interface Job {
  readonly write: (touched: Touched) => unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** What a job has come to, as long as its transaction is not committed. */
type Outcome = { readonly job: Job } & (
  { readonly isDone: true; readonly result: unknown; readonly touched: Touched } | { readonly isDone: false; readonly error: unknown }
);

/** Writes in one transaction: more would hold up everything else in the process for too long. */
const jobsPerTransaction = 500;

/**
 * Group commit: what is asked for during one turn of the event loop goes to the disk in one transaction, because making a
 * transaction durable costs far more than the writes in it. Each write has a savepoint of its own, so one that fails leaves no
 * trace and does not disturb the others.
 */
export function createWriteQueue(
  database: DatabaseSync,
  listeners: { readonly onCommitted: (touched: Touched) => void; readonly toError: (error: unknown) => Error },
): WriteQueue {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const savepoint = database.prepare("SAVEPOINT job");
  const release = database.prepare("RELEASE job");
  const undo = database.prepare("ROLLBACK TO job");
  let waiting: Job[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      carryOutNext();
      if (waiting.length > 0) schedule();
    });
  }

  function carryOutNext(): void {
    const jobs = waiting.slice(0, jobsPerTransaction);
    waiting = waiting.slice(jobsPerTransaction);
    if (jobs.length === 0) return;
    let outcomes: readonly Outcome[];
    try {
      begin.run();
      outcomes = jobs.map(carryOut);
      commit.run();
    } catch (error) {
      outcomes = jobs.map((job) => ({ job, isDone: false, error }));
      rollBack();
    }
    settle(outcomes);
  }

  function carryOut(job: Job): Outcome {
    const touched: Touched = new Set();
    savepoint.run();
    try {
      const result = job.write(touched);
      release.run();
      return { job, isDone: true, result, touched };
    } catch (error) {
      // A full disk or a read error makes SQLite undo the whole transaction: then there is nothing left to go on with.
      if (!database.isTransaction) throw error;
      undo.run();
      release.run();
      return { job, isDone: false, error };
    }
  }

  function settle(outcomes: readonly Outcome[]): void {
    const touched: Touched = new Set();
    for (const outcome of outcomes) {
      if (outcome.isDone) {
        outcome.job.resolve(outcome.result as never);
        for (const key of outcome.touched) touched.add(key);
      } else outcome.job.reject(listeners.toError(outcome.error));
    }
    if (touched.size > 0) listeners.onCommitted(touched);
  }

  function rollBack(): void {
    try {
      if (database.isOpen && database.isTransaction) database.exec("ROLLBACK");
    } catch {
      // The callers get the error that led here; the next BEGIN fails if the transaction is still open.
    }
  }

  return {
    add<Result>(write: (touched: Touched) => Result) {
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      waiting.push({ write, resolve, reject });
      schedule();
      return promise;
    },
    finish() {
      while (waiting.length > 0) carryOutNext();
    },
  };
}
