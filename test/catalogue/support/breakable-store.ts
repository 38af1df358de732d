import { RuntimeError, type Store } from "@handover/runtime";

/** A store that can be gone for a while: whatever is asked of it is refused, and nothing of it is done. */
export interface BreakableStore {
  readonly store: Store;
  breakDown(): void;
  recover(): void;
  /** What was refused so far. */
  readonly refused: number;
}

/** Wraps a store; it can still be closed while it is gone. */
export function makeBreakable(inner: Store): BreakableStore {
  let isGone = false;
  let refused = 0;
  const answersAtOnce = new Set<string | symbol>(["close", "publish", "subscribe", "watch"]);
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        if (!isGone || answersAtOnce.has(name)) return (value as (...all: unknown[]) => unknown).apply(target, given);
        refused += 1;
        return Promise.reject(new RuntimeError("STORE_FAILED", "The store is gone for a while.", { isRetryable: true }));
      };
    },
  });
  return {
    store,
    breakDown: () => void (isGone = true),
    recover: () => void (isGone = false),
    get refused() {
      return refused;
    },
  };
}
