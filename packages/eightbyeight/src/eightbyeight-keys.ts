import { ProviderApiError, type ProviderContext } from "@handover/core";
import { createHttpClient, parseBody, pathOf } from "@handover/provider-utils";
import { refuse, toKey, type PublicJwk } from "./eightbyeight-signature.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";
import { jwkSchema } from "./eightbyeight-wire.ts";

/** The public keys of 8x8's signatures. */
export interface KeyRing {
  /**
   * The key of an id: known, or asked for once at a time.
   * @throws WebhookRefusedError `SIGNING_KEY_UNKNOWN` (401), `SIGNING_KEY_UNAVAILABLE`, `SIGNING_KEY_TIMEOUT`, `TOO_MANY_SIGNING_KEYS` (503)
   */
  find(keyId: string, signal: AbortSignal): Promise<PublicJwk>;
  close(): Promise<void>;
}

/** Keys do not change, and new ones have new ids; but 8x8 may take one back. */
const keptMs = 3_600_000;
const unknownKeptMs = 60_000;
/** New ids may come as often as somebody likes to invent them. */
const mostQuestions = 30;
const questionsPerMs = 60_000;
const longestWaitMs = 5_000;

/** The address is made of settings only: what a signature says about where its key is counts for nothing. */
export function createKeyRing(
  settings: Pick<EightbyeightSettings, "baseUrl" | "jwkBaseUrl" | "requestTimeoutMs">,
  context: Pick<ProviderContext, "dispatcher" | "clock" | "logger" | "cache">,
): KeyRing {
  const { cache, clock } = context;
  const http = createHttpClient({
    baseUrl: settings.jwkBaseUrl ?? settings.baseUrl,
    context,
    timeoutMs: Math.min(settings.requestTimeoutMs, longestWaitMs),
    maxResponseBytes: 16_384,
  });
  const underWay = new Map<string, Promise<PublicJwk>>();
  let questions: number[] = [];

  async function ask(keyId: string, signal: AbortSignal): Promise<PublicJwk> {
    const nowMs = clock.now();
    questions = questions.filter((atMs) => atMs > nowMs - questionsPerMs);
    if (questions.length >= mostQuestions) {
      throw refuse("TOO_MANY_SIGNING_KEYS", "Webhooks came with too many unknown keys within a minute.", 503);
    }
    questions.push(nowMs);
    try {
      const jwk = await fetchKey(keyId, signal);
      cache.set(cacheKey(keyId), { n: jwk.n, e: jwk.e }, keptMs);
      return jwk;
    } catch (error) {
      if (!isAbsence(error)) throw unavailable(error);
      cache.set(cacheKey(keyId), "unknown", unknownKeptMs);
      throw unknownKey();
    }
  }

  async function fetchKey(keyId: string, signal: AbortSignal): Promise<PublicJwk> {
    const response = await http.request({ method: "GET", path: pathOf`/chat-gateway/v1/jwk/${keyId}/public`, signal });
    const { n, e, kid } = parseBody(response, jwkSchema);
    if (kid !== undefined && kid !== keyId) throw new TypeError("8x8 gave another key than the one that was asked for.");
    if (!toKey({ n, e })) throw new TypeError("8x8 gave a key that cannot be used.");
    return { n, e };
  }

  return {
    async find(keyId, signal) {
      const known = cache.get(cacheKey(keyId));
      if (known === "unknown") throw unknownKey();
      if (isJwk(known)) return known;
      const running = underWay.get(keyId) ?? ask(keyId, signal).finally(() => underWay.delete(keyId));
      underWay.set(keyId, running);
      return running;
    },
    close: () => http.close(),
  };
}

function cacheKey(keyId: string): string {
  return `eightbyeight:jwk:${keyId}`;
}

/** Only 8x8's own word that there is no such key is remembered; a failure is not. */
function isAbsence(error: unknown): boolean {
  return ProviderApiError.isInstance(error) && error.status === 404;
}

function unknownKey(): Error {
  return refuse("SIGNING_KEY_UNKNOWN", "8x8 knows no key with the id that the signature names. It is asked again after a minute.");
}

function unavailable(cause: unknown): Error {
  const isLate = ProviderApiError.isInstance(cause) && cause.code === "VENDOR_TIMEOUT";
  const error = refuse(
    isLate ? "SIGNING_KEY_TIMEOUT" : "SIGNING_KEY_UNAVAILABLE",
    `The key of the signature ${isLate ? "did not come from 8x8 in time" : "could not be fetched from 8x8"}; the webhook may come again.`,
    503,
  );
  error.cause = cause;
  return error;
}

function isJwk(value: unknown): value is PublicJwk {
  return typeof value === "object" && value !== null && "n" in value && "e" in value;
}
