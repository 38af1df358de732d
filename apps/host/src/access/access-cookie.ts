import { createHash } from "node:crypto";

/** Browsers keep about 4096 bytes of a cookie, its name and attributes included. */
export const largestCookieBytes = 3_800;

interface CookieAddress {
  readonly endpoint: string;
  readonly conversation: string;
}

/** A conversation has its own cookie, so that several can be open in one browser. */
function accessCookieName({ endpoint, conversation }: CookieAddress): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([endpoint, conversation]))
    .digest("hex");
  return `handover_access_${hash.slice(0, 24)}`;
}

/** The `Set-Cookie` header that carries a token for exactly its lifetime. */
export function writeAccessCookie(
  address: CookieAddress,
  token: { readonly value: string; readonly lifetimeSeconds: number; readonly isSecure: boolean; readonly basePath: string },
): string {
  const parts = [
    `${accessCookieName(address)}=${token.value}`,
    `Path=${token.basePath}/endpoints/`,
    `Max-Age=${Math.max(0, Math.floor(token.lifetimeSeconds))}`,
    "HttpOnly",
    "SameSite=Strict",
    ...(token.isSecure ? ["Secure"] : []),
  ];
  return parts.join("; ");
}

export function readAccessCookie(header: string | undefined, address: CookieAddress): string | undefined {
  const prefix = `${accessCookieName(address)}=`;
  const found = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix));
  return found?.slice(prefix.length);
}
