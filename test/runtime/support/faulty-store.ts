import { RuntimeError, type Commit, type Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";

/** A store whose commits fail while a test wants them to. */
export interface FaultyStore {
  readonly store: Store;
  /** Fails every commit that fits until it is called again; nothing of a failed commit is written. */
  failWhen(fits: ((commit: Commit) => boolean) | undefined): void;
  /** How many commits were refused. */
  readonly refused: number;
  /** Calls of each reading method so far. */
  readonly reads: Readonly<Record<string, number>>;
}

/** SQLite on a disk that fills up now and then. */
export function createFaultyStore(path: string): FaultyStore {
  const store = createSqliteStore({ path });
  let fits: ((commit: Commit) => boolean) | undefined;
  let refused = 0;
  const reads: Record<string, number> = {};
  const faulty = new Proxy(store, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (name === "commit")
        return (commit: Commit) => {
          if (!fits?.(commit)) return target.commit(commit);
          refused += 1;
          return Promise.reject(new RuntimeError("STORE_FAILED", "The disk of the store is full.", { isRetryable: true }));
        };
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (String(name) === "readEntries") reads[String(name)] = (reads[String(name)] ?? 0) + 1;
        return (value as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
  return {
    store: faulty,
    failWhen: (next) => void (fits = next),
    get refused() {
      return refused;
    },
    reads,
  };
}
