import { findBaseUrlProblem } from "@handover/provider-utils";

/** A base URL that can be used, or what is wrong with it, in words that follow the name of the setting. */
export type BaseUrl = { readonly baseUrl: string; readonly problem?: never } | { readonly baseUrl?: never; readonly problem: string };

/** What the documentation of Cognigy and people who copy from the address bar put behind the API's own path. */
const endings = [/\/openapi$/i, /\/app\/accounts(\/.*)?$/i, /\/api\/v1(\/accounts(\/.*)?)?$/i];

/**
 * Cognigy prints the address with and without `/api/v1`, and once with the `/openapi` of the document page: all mean the same.
 * What is in front of that is kept, as an installation may live below a path.
 */
export function normaliseBaseUrl(value: string): BaseUrl {
  const text = value.trim();
  const problem = findBaseUrlProblem(text, "https://<host>/api/v1");
  if (problem !== undefined) return { problem };
  const url = new URL(text);
  let prefix = url.pathname.replace(/\/+$/, "");
  for (const ending of endings) prefix = prefix.replace(ending, "").replace(/\/+$/, "");
  return { baseUrl: `${url.origin}${prefix}/api/v1` };
}

/** Everything before `/api/v1`: where `/platform`, `/public` and `/api` are. */
export function installationOf(baseUrl: string): string {
  return baseUrl.replace(/\/api\/v1$/, "");
}
