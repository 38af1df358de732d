import { constants, createPublicKey, publicDecrypt, verify, type KeyObject } from "node:crypto";
import { crc32 } from "node:zlib";
import { WebhookRefusedError, type RawRequest } from "@handover/core";
import { z } from "zod";

// The detached JWS of 8x8's webhooks: RS256 over the CRC-32 of the raw body and the headers. Section 4.3 of the reference page.

/** The headers of a webhook, checked for their form only. */
export interface WebhookHeaders {
  readonly tenant: string;
  readonly customer: string;
  readonly eventId: string;
  readonly retry: number;
  readonly transmittedAtMs: number;
  readonly signature: string;
}

/** What the first part of the signature says. */
export interface SignatureHead {
  /** As received: it is signed in this form. */
  readonly encoded: string;
  readonly keyId: string;
}

/** A public key as 8x8 gives it out. */
export interface PublicJwk {
  readonly n: string;
  readonly e: string;
}

const longestHeader = 8_192;
const smallestKeyBits = 2_048;
type HeadField = "alg" | "b64" | "crit" | "kid";
const headSchema = z.record(z.string(), z.unknown());

export function refuse(code: string, message: string, status: 401 | 503 = 401): WebhookRefusedError {
  return new WebhookRefusedError({ status, code, message });
}

/** @throws WebhookRefusedError `WEBHOOK_HEADER_MISSING`, `WEBHOOK_HEADER_MALFORMED` */
export function readHeaders({ headers }: RawRequest): WebhookHeaders {
  const read = (name: string): string => {
    const value = headers[name];
    if (!value) throw refuse("WEBHOOK_HEADER_MISSING", `The webhook has no header ${name}.`);
    if (value.length > longestHeader) throw refuse("WEBHOOK_HEADER_MALFORMED", `The header ${name} is too long.`);
    return value;
  };
  const readNumber = (name: string): number => {
    const value = read(name);
    if (!/^\d{1,15}$/.test(value)) throw refuse("WEBHOOK_HEADER_MALFORMED", `The header ${name} is no number.`);
    return Number(value);
  };
  return {
    signature: read("x-8x8-signature"),
    tenant: read("x-8x8-tenant-id"),
    customer: read("x-8x8-customer-id"),
    eventId: read("x-8x8-event-id"),
    retry: readNumber("x-8x8-retry"),
    transmittedAtMs: readNumber("x-8x8-transmission-time"),
  };
}

/** @throws WebhookRefusedError `SIGNATURE_MALFORMED`, `SIGNATURE_ALGORITHM`, `SIGNATURE_KEY_ID` */
export function readSignatureHead(signature: string): SignatureHead {
  const parts = signature.split(".");
  const [encoded = "", middle, last = ""] = parts;
  if (parts.length !== 3 || middle !== "" || encoded === "") {
    throw refuse("SIGNATURE_MALFORMED", "The signature is no detached JWS: three parts, the second of them empty.");
  }
  const { alg, b64, crit, kid } = (headSchema.safeParse(parseBase64Json(encoded)).data ?? {}) as Readonly<Record<HeadField, unknown>>;
  // Named before the rest: a key must never be used for what somebody else says it is for.
  if (alg !== "RS256") throw refuse("SIGNATURE_ALGORITHM", "The signature is not RS256.");
  if (last === "") throw refuse("SIGNATURE_MALFORMED", "The signature is empty.");
  if (b64 !== false || !Array.isArray(crit) || crit.length !== 1 || crit[0] !== "b64") {
    throw refuse("SIGNATURE_MALFORMED", 'The signature does not say "b64": false and "crit": ["b64"].');
  }
  if (typeof kid !== "string" || !/^[A-Za-z0-9_-]{1,128}$/.test(kid)) {
    throw refuse("SIGNATURE_KEY_ID", "The id of the signature's key is missing or has characters that no id has.");
  }
  return { encoded, keyId: kid };
}

/** What is signed instead of the body: no blanks, this order of keys. */
export function signedPayload(headers: WebhookHeaders, body: Uint8Array): string {
  return JSON.stringify({
    checksum: crc32(body),
    cid: headers.customer,
    eid: headers.eventId,
    retry: headers.retry,
    tid: headers.tenant,
    tt: headers.transmittedAtMs,
  });
}

/** What a signature is good for: these headers and this body, something else by the same key, or nothing that this key has signed. */
type SignatureFit = "fits" | "other-content" | "other-key";

/** Compares the signature with these headers and this body. */
export function compareSignature(jwk: PublicJwk, head: SignatureHead, headers: WebhookHeaders, body: Uint8Array): SignatureFit {
  const key = toKey(jwk);
  if (!key) return "other-key";
  const signature = Buffer.from(headers.signature.split(".")[2] ?? "", "base64url");
  const input = Buffer.from(`${head.encoded}.${signedPayload(headers, body)}`, "utf8");
  if (verify("RSA-SHA256", input, key, signature)) return "fits";
  return isOfKey(key, signature) ? "other-content" : "other-key";
}

/** The public key turns its own signatures, and no others, back into a padded hash: so a wrong text is told from a wrong key. */
function isOfKey(key: KeyObject, signature: Uint8Array): boolean {
  try {
    publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return true;
  } catch {
    return false;
  }
}

/** Nothing for a key that is none, or too short to trust. */
export function toKey({ n, e }: PublicJwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" });
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= smallestKeyBits ? key : undefined;
  } catch {
    return undefined;
  }
}

function parseBase64Json(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
