/** What changed at a simulator: one conversation, who is at work, or everything. */
export type Change = { readonly kind: "conversation"; readonly id: string } | { readonly kind: "agents" } | { readonly kind: "reset" };

export interface Changes {
  emit(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    emit(change) {
      for (const listener of [...listeners]) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Resolves with the first value that `look` finds, now or after a change; rejects after `timeoutMs` of real time. */
export function waitForChange<Value>(changes: Changes, look: () => Value | undefined, timeoutMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      unsubscribe();
    };
    const check = (): void => {
      try {
        const found = look();
        if (found === undefined) return;
        stop();
        resolve(found);
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`The simulator did not get into the expected state within ${timeoutMs} ms.`));
    }, timeoutMs);
    const unsubscribe = changes.subscribe(check);
    check();
  });
}
