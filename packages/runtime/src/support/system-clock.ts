import type { RuntimeClock } from "../options.ts";

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: RuntimeClock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
