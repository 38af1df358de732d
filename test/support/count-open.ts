import type { RuntimeClock, Store } from "@handover/runtime";

/** Counts what is waiting on a clock and what listens to a store, for programs that look for leaks. */
export interface OpenCount {
  readonly counts: { timers: number; listeners: number };
  clock(counted: RuntimeClock, onTimer?: (delayMs: number) => void): RuntimeClock;
  store(counted: Store): Store;
}

export function createOpenCount(): OpenCount {
  const counts = { timers: 0, listeners: 0 };

  return {
    counts,
    clock: (counted, onTimer) => ({
      now: counted.now,
      after(delayMs, callback) {
        let isOpen = true;
        const close = (): void => {
          counts.timers -= isOpen ? 1 : 0;
          isOpen = false;
        };
        counts.timers += 1;
        onTimer?.(delayMs);
        const cancel = counted.after(delayMs, () => {
          close();
          callback();
        });
        return () => {
          close();
          cancel();
        };
      },
    }),
    store: (counted) => ({ ...counted, watch: listening(counted.watch), subscribe: listening(counted.subscribe) }),
  };

  function listening<Given extends unknown[]>(listen: (...given: Given) => () => void) {
    return (...given: Given) => {
      counts.listeners += 1;
      const stop = listen(...given);
      return () => {
        counts.listeners -= 1;
        stop();
      };
    };
  }
}
