/** Runs steps of the same key one after the other. */
export interface KeyedMutex {
  run<Result>(key: string, step: () => Promise<Result>): Promise<Result>;
}

/** A mutex for each key that is in use; keys that are not cost nothing. */
export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, step) {
      const before = tails.get(key) ?? Promise.resolve();
      const mine = before.then(step, step);
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
