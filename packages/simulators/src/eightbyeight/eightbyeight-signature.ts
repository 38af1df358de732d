import { createHmac, sign } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Tampering } from "./eightbyeight-behaviour.ts";
import type { SigningKey } from "./eightbyeight-keys.ts";
import { strangersKey } from "./eightbyeight-keys.ts";

export interface Transmission {
  readonly body: string;
  readonly customerId: string;
  readonly eventId: string;
  readonly retry: number;
  readonly tenant: string;
  readonly atMs: number;
}

const staleMs = 600_000;

/** What is signed instead of the body. The order of its keys matters, and it has no blanks. */
export function buildPayload({ body, customerId, eventId, retry, tenant, atMs }: Transmission): string {
  return JSON.stringify({ checksum: crc32(Buffer.from(body)), cid: customerId, eid: eventId, retry, tid: tenant, tt: atMs });
}

/** The six headers of a webhook: a detached JWS (RFC 7515) whose payload is not encoded (RFC 7797), right or wrong on purpose. */
export function buildHeaders(original: Transmission, key: SigningKey, tamper: Tampering): Record<string, string> {
  const transmission = {
    ...original,
    ...(tamper === "stale" ? { atMs: original.atMs - staleMs } : {}),
    ...(tamper === "foreign-tenant" ? { tenant: "tenant-of-a-stranger" } : {}),
    ...(tamper === "wrong-checksum" ? { body: `${original.body} ` } : {}),
  };
  return {
    "x-8x8-tenant-id": transmission.tenant,
    "x-8x8-customer-id": transmission.customerId,
    "x-8x8-event-id": transmission.eventId,
    "x-8x8-transmission-time": String(transmission.atMs),
    "x-8x8-retry": String(transmission.retry),
    "x-8x8-signature": buildSignature(buildPayload(transmission), key, tamper),
  };
}

function buildSignature(payload: string, key: SigningKey, tamper: Tampering): string {
  const signer = tamper === "wrong-key" || tamper === "unknown-key" ? strangersKey() : key;
  const kid = tamper === "unknown-key" ? signer.id : key.id;
  const alg = tamper === "alg-none" ? "none" : tamper === "alg-hs256" ? "HS256" : "RS256";
  const header = tamper === "without-b64" ? { kid, alg } : { b64: false, crit: ["b64"], kid, alg };
  const protectedPart = Buffer.from(JSON.stringify(header)).toString("base64url");
  const signature = signBytes(Buffer.from(`${protectedPart}.${payload}`), signer, alg);
  if (tamper === "wrong-signature") signature[0] = (signature[0] ?? 0) ^ 1;
  return `${protectedPart}..${signature.toString("base64url")}`;
}

// With HS256 the public key is the secret, which a careless receiver would take.
function signBytes(input: Buffer, key: SigningKey, alg: string): Buffer {
  if (alg === "none") return Buffer.alloc(0);
  if (alg === "HS256") return createHmac("sha256", JSON.stringify(key.jwk)).update(input).digest();
  return sign("RSA-SHA256", input, key.privateKey);
}
