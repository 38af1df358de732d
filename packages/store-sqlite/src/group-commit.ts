import type { DatabaseSync } from "node:sqlite";

/** Conversations that a write has changed. */
export type Touched = Set<string>;

/** Carries writes out together. */
export interface WriteQueue {
  /** Resolves when the write is durable; rejects when it left no trace. It may be carried out twice, and only the second time counts. */
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
  { readonly isDone: true; readonly result: unknown } | { readonly isDone: false; readonly error: unknown }
);

/** Writes in one transaction: more would hold up everything else in the process for too long. */
const jobsPerTransaction = 500;

/**
 * Group commit: what is asked for during one turn of the event loop goes to the disk in one transaction, because making a
 * transaction durable costs far more than the writes in it. When one of them fails, the transaction is undone and all are carried
 * out again, each with a savepoint of its own: so one that fails leaves no trace and does not disturb the others, and those that
 * succeed, as nearly all do, pay nothing for it.
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
  const undoAll = database.prepare("ROLLBACK");
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
    const touched: Touched = new Set();
    let outcomes: readonly Outcome[];
    try {
      begin.run();
      outcomes = carryOutTogether(jobs, touched) ?? jobs.map((job) => carryOutAlone(job, touched));
      commit.run();
    } catch (error) {
      touched.clear();
      outcomes = jobs.map((job) => ({ job, isDone: false, error }));
      rollBack();
    }
    settle(outcomes, touched);
  }

  /** When one fails: nothing, in a new transaction. */
  function carryOutTogether(jobs: readonly Job[], touched: Touched): readonly Outcome[] | undefined {
    try {
      return jobs.map((job) => ({ job, isDone: true, result: job.write(touched) }));
    } catch (error) {
      requireTransaction(error);
      touched.clear();
      undoAll.run();
      begin.run();
      return undefined;
    }
  }

  function carryOutAlone(job: Job, touched: Touched): Outcome {
    const own: Touched = new Set();
    savepoint.run();
    try {
      const result = job.write(own);
      release.run();
      for (const key of own) touched.add(key);
      return { job, isDone: true, result };
    } catch (error) {
      requireTransaction(error);
      undo.run();
      release.run();
      return { job, isDone: false, error };
    }
  }

  /** A full disk or a read error makes SQLite undo the whole transaction: then there is nothing left to go on with. */
  function requireTransaction(error: unknown): void {
    if (!database.isTransaction) throw error;
  }

  function settle(outcomes: readonly Outcome[], touched: Touched): void {
    for (const outcome of outcomes) {
      if (outcome.isDone) outcome.job.resolve(outcome.result as never);
      else outcome.job.reject(listeners.toError(outcome.error));
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
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ write, resolve, reject });
        schedule();
      });
    },
    finish() {
      while (waiting.length > 0) carryOutNext();
    },
  };
}
