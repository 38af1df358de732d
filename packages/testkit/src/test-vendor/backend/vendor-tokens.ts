import type { Clock } from "@handover/core";
import { safeEqual } from "@handover/provider-utils";
import type { ConformanceTokens } from "../../conformance/conformance-backend.ts";

/** Who may call: the key itself, or tokens that are given out for it and run out. */
export interface VendorAccess {
  /** For the conformance suite; absent where the key itself is sent. */
  readonly tokens?: ConformanceTokens;
  /** True when a call with this header may be carried out. */
  admits(call: { readonly method: string; readonly path: string; readonly authorization: string }): boolean;
  /** Gives out a token, or nothing where there are none. */
  giveToken(): { readonly access_token: string; readonly expires_in: number } | undefined;
  reset(): void;
}

/** Checks calls by the key, or with a lifetime by tokens: `POST /token` then takes the key and every other call a token. */
export function createVendorAccess(options: {
  readonly apiKey: () => string;
  readonly clock: Clock;
  readonly passTime: (durationMs: number) => void;
  readonly lifetimeMs: number | undefined;
}): VendorAccess {
  const { apiKey, clock, lifetimeMs } = options;
  const hasKey = (authorization: string): boolean => safeEqual(authorization, `Bearer ${apiKey()}`);
  if (lifetimeMs === undefined) {
    return { admits: ({ authorization }) => hasKey(authorization), giveToken: () => undefined, reset: () => undefined };
  }
  const ends = new Map<string, number>();
  let issued = 0;
  let refused = 0;
  return {
    admits({ method, path, authorization }) {
      if (method === "POST" && path === "/token") return hasKey(authorization);
      const isValid = (ends.get(authorization) ?? 0) > clock.now();
      if (!isValid) refused += 1;
      return isValid;
    },
    giveToken() {
      issued += 1;
      const token = `test-vendor-token-${issued}-${Math.trunc(clock.now())}`;
      ends.set(`Bearer ${token}`, clock.now() + lifetimeMs);
      return { access_token: token, expires_in: lifetimeMs / 1000 };
    },
    // A connection of before may go on with its token.
    reset() {
      issued = 0;
      refused = 0;
    },
    tokens: {
      lifetimeMs,
      issued: () => issued,
      refused: () => refused,
      passTime: options.passTime,
      revoke: () => ends.clear(),
    },
  };
}
