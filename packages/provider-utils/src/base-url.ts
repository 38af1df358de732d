/**
 * Says why a text cannot be the base URL of a vendor's API, in words that follow the name of the setting. Plain http is for
 * servers on this machine only.
 *
 * @param example how such a URL looks, for whoever wrote none: `https://<host>/api/v1`
 * @param credentials the setting that credentials belong into, where a URL has some
 * @returns nothing for a URL that can be used
 */
export function findBaseUrlProblem(text: string, example: string, credentials = "apiKey"): string | undefined {
  if (!URL.canParse(text)) return `is not a URL; it looks like ${example}`;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https://";
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) return "must begin with https:// (http is for this machine only)";
  if (url.username || url.password) return `must not contain a user name or password; credentials belong into ${credentials}`;
  if (url.search || url.hash) return "must not have a query or a fragment";
  return undefined;
}

/** True for the names and addresses of this machine, as `URL.hostname` has them. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
