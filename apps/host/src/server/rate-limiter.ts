import type { RateLimit } from "../configuration/configuration-schema.ts";

/** Counts what happened in windows that begin with the first event of a key. */
export interface RateLimiter {
  /** @returns 0 when allowed, else the milliseconds until something is allowed again */
  take(key: string): number;
}

const mostKeys = 10_000;

/** A limiter with bounded memory: when too many keys are known at once, the oldest windows are forgotten first. */
export function createRateLimiter(limit: RateLimit, now: () => number): RateLimiter {
  const windowMs = limit.seconds * 1000;
  const windows = new Map<string, { readonly endsAtMs: number; count: number }>();
  return {
    take(key) {
      const nowMs = now();
      const current = windows.get(key);
      if (current && current.endsAtMs > nowMs) {
        if (current.count >= limit.messages) return current.endsAtMs - nowMs;
        current.count += 1;
        return 0;
      }
      windows.delete(key);
      windows.set(key, { endsAtMs: nowMs + windowMs, count: 1 });
      forgetOldest(windows, nowMs);
      return 0;
    },
  };
}

/** The map keeps the order of insertion, so windows stand in the order in which they end. */
function forgetOldest(windows: Map<string, { readonly endsAtMs: number }>, nowMs: number): void {
  for (const [key, { endsAtMs }] of windows) {
    if (endsAtMs > nowMs && windows.size <= mostKeys) return;
    windows.delete(key);
  }
}
