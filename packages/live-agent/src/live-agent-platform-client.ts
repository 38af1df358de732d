import { ProviderApiError } from "@handover/core";
import { createHttpClient, parseBody, pathOf, type ErrorDescription, type HttpResponse } from "@handover/provider-utils";
import { installationOf } from "./live-agent-base-url.ts";
import type { ClientContext } from "./live-agent-client.ts";
import { errorText } from "./live-agent-message-calls.ts";
import {
  platformAccountSchema,
  platformAccountsSchema,
  platformBotSchema,
  platformTokenSchema,
  platformUserSchema,
} from "./live-agent-wire-account.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface PlatformAccount {
  readonly id: string;
  readonly name?: string | undefined;
  readonly custom_attributes: Readonly<Record<string, unknown>>;
}

/** The calls of the platform API; it sees only what was made or granted with its token. Section 3.9 of the reference page. */
export interface PlatformClient {
  /** `undefined` on a server below 4.5, which cannot list them. */
  listAccounts(signal: AbortSignal): Promise<PlatformAccount[] | undefined>;
  createAccount(fields: Fields, signal: AbortSignal): Promise<string>;
  /** An e-mail that exists gives the existing user. */
  createUser(fields: Fields, signal: AbortSignal): Promise<{ readonly id: string; readonly accessToken?: string }>;
  addUserToAccount(accountId: string, fields: Fields, signal: AbortSignal): Promise<void>;
  /** From the user, else from the call that came with 4.3. */
  getUserToken(userId: string, signal: AbortSignal): Promise<string | undefined>;
  createAgentBot(fields: Fields, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export function createPlatformClient(
  settings: { readonly baseUrl: string; readonly platformToken: string },
  context: ClientContext,
): PlatformClient {
  const http = createHttpClient({
    baseUrl: `${installationOf(settings.baseUrl)}/platform/api/v1`,
    headers: { "Api-Access-Token": settings.platformToken },
    context,
    describeError,
  });
  const acceptMissing = ({ status }: HttpResponse): "accept" | undefined => (status === 404 ? "accept" : undefined);

  return {
    async listAccounts(signal) {
      const response = await http.request({ method: "GET", path: pathOf`/accounts`, signal, onStatus: acceptMissing });
      return response.status === 404 ? undefined : parseBody(response, platformAccountsSchema);
    },
    async createAccount(fields, signal) {
      return parseBody(await http.request({ method: "POST", path: pathOf`/accounts`, json: fields, signal }), platformAccountSchema).id;
    },
    async createUser(fields, signal) {
      const response = await http.request({ method: "POST", path: pathOf`/users`, json: fields, signal, isRepeatable: true });
      const { id, access_token: accessToken } = parseBody(response, platformUserSchema);
      return { id, ...(accessToken ? { accessToken } : {}) };
    },
    async addUserToAccount(accountId, fields, signal) {
      const path = pathOf`/accounts/${accountId}/account_users`;
      await http.request({ method: "POST", path, json: fields, signal, isRepeatable: true });
    },
    async getUserToken(userId, signal) {
      const response = await http.request({ method: "GET", path: pathOf`/users/${userId}`, signal, onStatus: acceptMissing });
      const token = response.status === 404 ? undefined : parseBody(response, platformUserSchema).access_token;
      if (token) return token;
      try {
        const made = await http.request({ method: "POST", path: pathOf`/users/${userId}/token`, json: {}, signal, isRepeatable: true });
        return parseBody(made, platformTokenSchema).access_token;
      } catch (error) {
        if (ProviderApiError.isInstance(error) && error.status === 404) return undefined;
        throw error;
      }
    },
    async createAgentBot(fields, signal) {
      return parseBody(await http.request({ method: "POST", path: pathOf`/agent_bots`, json: fields, signal }), platformBotSchema).id;
    },
    close: () => http.close(),
  };
}

function describeError(response: HttpResponse): ErrorDescription | undefined {
  const words = errorText(response);
  if (response.status === 401 && /non permissible/i.test(words)) {
    return {
      code: "PLATFORM_RESOURCE_FOREIGN",
      message: "The platform token did not make this account or user, and was not given it: name another one, or grant it.",
    };
  }
  if (response.status === 401 || response.status === 403) {
    return {
      code: "PLATFORM_TOKEN_REFUSED",
      message: "The platform token is not known to Live Agent: it must be the same on both sides (24 letters and digits).",
    };
  }
  if (response.status === 402) return { code: "PLAN_LIMIT", message: "The installation's plan does not allow more." };
  return undefined;
}
