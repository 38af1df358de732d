import type { RuntimeClock } from "../options.ts";

/** Pauses of a loop that has to end when the runtime stops. */
export interface Sleeper {
  sleep(delayMs: number): Promise<void>;
  /** All pauses are over at once, and none of their timers is left. */
  wakeAll(): void;
}

/** A sleeper on a clock. */
export function createSleeper(clock: RuntimeClock): Sleeper {
  const sleeping = new Set<() => void>();
  return {
    sleep(delayMs) {
      return new Promise((resolve) => {
        const wake = (): void => {
          cancel();
          sleeping.delete(wake);
          resolve();
        };
        const cancel = clock.after(delayMs, wake);
        sleeping.add(wake);
      });
    },
    wakeAll() {
      for (const wake of [...sleeping]) wake();
    },
  };
}
