import { setNewest } from "../support/set-newest.ts";

/** How often an entry was pushed in vain, and when it is pushed again. */
interface PushTry {
  readonly seq: number;
  readonly failures: number;
  readonly firstFailedAtMs: number;
  readonly retryAtMs: number;
}

/** What push channels did not take, by conversation: a conversation changes hands between two tries. */
export interface PushTries {
  /** Those of one entry: another process may have pushed an earlier one meanwhile. */
  get(key: string, seq: number): PushTry | undefined;
  remember(key: string, tried: PushTry): void;
  forget(key: string): void;
}

const limit = 10_000;

/** In memory, for one process; another one begins to count anew. */
export function createPushTries(): PushTries {
  const tries = new Map<string, PushTry>();
  return {
    get(key, seq) {
      const tried = tries.get(key);
      return tried?.seq === seq ? tried : undefined;
    },
    remember: (key, tried) => setNewest(tries, key, tried, limit),
    forget: (key) => void tries.delete(key),
  };
}
