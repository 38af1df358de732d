import type { RuntimeClock } from "../options.ts";

/** Runs steps of the same key one after the other. */
export interface KeyedMutex {
  run<Result>(key: string, step: () => Promise<Result>): Promise<Result>;
}

/**
 * A mutex for each key that is in use; keys that are not cost nothing. With `patience` a step that hangs for longer no longer
 * holds up those behind it: for steps that are safe without the mutex, and only faster with it.
 */
export function createKeyedMutex(patience?: { readonly clock: RuntimeClock; readonly limitMs: number }): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();

  function turn(before: Promise<unknown> | undefined): Promise<unknown> {
    if (!before || !patience) return before ?? Promise.resolve();
    return new Promise<void>((resolve) => {
      const cancel = patience.clock.after(patience.limitMs, resolve);
      void before.then(() => {
        cancel();
        resolve();
      });
    });
  }

  return {
    async run(key, step) {
      const mine = turn(tails.get(key)).then(step);
      const tail = mine.catch(() => undefined);
      tails.set(key, tail);
      try {
        return await mine;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
