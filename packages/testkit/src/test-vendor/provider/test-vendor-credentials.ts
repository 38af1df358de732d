import type { ProviderContext } from "@handover/core";
import { createHttpClient, createTokenCache, parseBody, pathOf, type HttpClientOptions, type HttpHeaders } from "@handover/provider-utils";
import type { TestVendorSettings } from "./test-vendor-settings.ts";
import { wireAnswers } from "./test-vendor-wire.ts";

/** What every call carries. */
export interface TestVendorCredentials {
  headers(signal: AbortSignal): Promise<HttpHeaders>;
  /** The same for an HTTP client; after a 401 it gets a new token where there are tokens. */
  readonly clientOptions: Pick<HttpClientOptions, "headers" | "refreshCredentials">;
  close(): Promise<void>;
}

/** The key itself, or a token for it that is kept until shortly before its end. */
export function createCredentials(settings: TestVendorSettings, context: ProviderContext): TestVendorCredentials {
  const key = { authorization: `Bearer ${settings.apiKey}` };
  if (!settings.hasAccessTokens) return { headers: async () => key, clientOptions: { headers: key }, close: async () => undefined };
  const http = createHttpClient({ baseUrl: settings.baseUrl, headers: key, context });
  const tokens = createTokenCache({
    clock: context.clock,
    async fetchToken(signal) {
      const answer = await http.request({ method: "POST", path: pathOf`/token`, json: {}, signal, isRepeatable: true });
      const { access_token: value, expires_in: seconds } = parseBody(answer, wireAnswers.token);
      return { value, expiresAtMs: context.clock.now() + seconds * 1000 };
    },
  });
  const headers = async (signal: AbortSignal) => ({ authorization: `Bearer ${await tokens.get(signal)}` });
  return {
    headers,
    clientOptions: { headers, refreshCredentials: () => tokens.invalidate() },
    close: () => http.close(),
  };
}
