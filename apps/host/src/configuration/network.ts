import { isIPv4 } from "node:net";

/** True for a host name or address that only this machine reaches. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost") || bare === "::1") return true;
  const address = bare.startsWith("::ffff:") ? bare.slice("::ffff:".length) : bare;
  return isIPv4(address) && address.startsWith("127.");
}

/** True for https, and for http that stays on this machine (as containers on it call it, too). */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return false;
  return (
    url.protocol === "https:" || (url.protocol === "http:" && (isLoopbackHost(url.hostname) || url.hostname === "host.docker.internal"))
  );
}
