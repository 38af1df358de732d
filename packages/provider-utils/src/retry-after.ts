import type { Clock } from "@handover/core";

/** What a vendor may ask for at most: a mistake in a header must not stop a connection for years. */
const longestWaitMs = 24 * 60 * 60 * 1000;

/**
 * Reads a `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3).
 *
 * @returns milliseconds from now, from 0 to one day; `undefined` when there is none or it cannot be read
 */
export function readRetryAfter(header: string | undefined, clock: Clock): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now();
  if (!Number.isFinite(waitMs)) return undefined;
  return Math.min(Math.max(Math.round(waitMs), 0), longestWaitMs);
}
