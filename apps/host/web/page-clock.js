// @ts-check

/** The page's own clock. @type {import("./chat-types.d.ts").Clock} */
export const pageClock = {
  nowMs: () => Date.now(),
  wait: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(resolve, delayMs);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    }),
};
