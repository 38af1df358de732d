/** Wakes those who wait for something to happen in a conversation. */
export interface ChangeHub {
  /** Tells everybody who waits for the key. */
  announce(key: string): void;
  /** Resolves at the next announcement after the call. */
  next(key: string): { readonly promise: Promise<void>; cancel(): void };
}

/** A hub in memory; keys that nobody waits for cost nothing. */
export function createChangeHub(): ChangeHub {
  const waiting = new Map<string, Set<() => void>>();
  return {
    announce(key) {
      const listeners = waiting.get(key);
      if (!listeners) return;
      waiting.delete(key);
      for (const listener of listeners) listener();
    },
    next(key) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      const listeners = waiting.get(key) ?? new Set();
      waiting.set(key, listeners.add(resolve));
      return {
        promise,
        cancel() {
          listeners.delete(resolve);
          if (listeners.size === 0 && waiting.get(key) === listeners) waiting.delete(key);
        },
      };
    },
  };
}
