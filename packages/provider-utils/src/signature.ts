import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** How a vendor signs. */
export interface HmacOptions {
  readonly algorithm: "sha1" | "sha256";
  readonly encoding: "hex" | "base64";
  readonly secret: string;
  /** What is signed, piece after piece: the raw bytes of the body and whatever the vendor puts around them. */
  readonly data: readonly (string | Uint8Array)[];
}

/** Computes an HMAC over raw bytes. */
export function computeHmac(options: HmacOptions): string {
  const hmac = createHmac(options.algorithm, options.secret);
  for (const piece of options.data) hmac.update(piece);
  return hmac.digest(options.encoding);
}

/**
 * Checks a signature in constant time. One of another length, or an empty secret, is just wrong. Hex may be in upper case.
 *
 * @param signature without a prefix such as `sha256=`
 */
export function verifyHmac(options: HmacOptions, signature: string): boolean {
  if (options.secret === "") return false;
  return safeEqual(computeHmac(options), options.encoding === "hex" ? signature.toLowerCase() : signature);
}

/** Compares two secrets in a time that tells neither their content nor their length. */
export function safeEqual(left: string, right: string): boolean {
  return timingSafeEqual(createHash("sha256").update(left).digest(), createHash("sha256").update(right).digest());
}
