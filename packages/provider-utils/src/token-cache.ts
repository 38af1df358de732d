import type { Clock } from "@handover/core";

/** An access token, and when it stops working. */
export interface Token {
  readonly value: string;
  /** Unix milliseconds. Absent: it works until it is refused. */
  readonly expiresAtMs?: number;
}

/** What a token cache is made of. */
export interface TokenCacheOptions {
  /** Gets a new token from the vendor. Its signal is its own: a caller that gives up does not stop it for the others. */
  readonly fetchToken: (signal: AbortSignal) => Promise<Token>;
  readonly clock: Clock;
  /** How long before its end a token is renewed. Default: 60 seconds. */
  readonly skewMs?: number;
  /** For one `fetchToken`. Default: 15 seconds. */
  readonly timeoutMs?: number;
}

/** Keeps one access token. */
export interface TokenCache {
  /**
   * The token, fetched when there is none or its end is near. Callers at the same time share one fetch.
   * @throws whatever `fetchToken` threw; the next call tries again
   * @throws the signal's reason when the caller gives up
   */
  get(signal: AbortSignal): Promise<string>;
  /** Forgets the token, so that the next `get` fetches one. With a value: only if that is still the token. */
  invalidate(value?: string): void;
}

/** Makes a token cache. It sets no timer: a token is renewed when somebody needs it. */
export function createTokenCache(options: TokenCacheOptions): TokenCache {
  const skewMs = options.skewMs ?? 60_000;
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;

  function isFresh(candidate: Token): boolean {
    return candidate.expiresAtMs === undefined || candidate.expiresAtMs - skewMs > options.clock.now();
  }

  async function refresh(): Promise<Token> {
    try {
      token = await options.fetchToken(AbortSignal.timeout(options.timeoutMs ?? 15_000));
      return token;
    } finally {
      pending = undefined;
    }
  }

  return {
    async get(signal) {
      if (token && isFresh(token)) return token.value;
      pending ??= refresh();
      return (await unlessAborted(pending, signal)).value;
    },
    invalidate(value) {
      if (value === undefined || token?.value === value) token = undefined;
    },
  };
}

async function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
