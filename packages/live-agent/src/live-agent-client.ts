import type { Clock, HttpDispatcher, Logger } from "@handover/core";
import { createHttpClient, parseBody, pathOf, type ErrorDescription, type HttpRequest, type HttpResponse } from "@handover/provider-utils";
import { createAccountCalls, type AccountCalls } from "./live-agent-account-calls.ts";
import { installationOf } from "./live-agent-base-url.ts";
import { createMessageCalls, errorText, isEmpty, whenGone, type MessageCalls } from "./live-agent-message-calls.ts";
import { createRoutingCalls, type RoutingCalls } from "./live-agent-routing-calls.ts";
import type { LiveAgentSettings } from "./live-agent-settings.ts";
import {
  contactConversationsSchema,
  contactCreatedSchema,
  contactListSchema,
  conversationListSchema,
  conversationSchema,
  statusSchema,
  type WireConversation,
} from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One method per call of the API; sections of the reference page in brackets. */
export interface LiveAgentClient extends AccountCalls, RoutingCalls, MessageCalls {
  /** The attributes that another contact has already, or the new contact's id. [3.2] */
  createContact(fields: Fields, signal: AbortSignal): Promise<{ id: string } | { taken: readonly string[] }>;
  findContact(identifier: string, signal: AbortSignal): Promise<string | undefined>; // [3.2]
  /** `unknown-contact-or-inbox` for a 404, `source-taken` when the source id belongs to another contact. [3.3] */
  createConversation(fields: Fields, signal: AbortSignal): Promise<WireConversation | "unknown-contact-or-inbox" | "source-taken">;
  getConversation(conversationId: string, signal: AbortSignal): Promise<WireConversation>; // [3.3]
  /** Servers below 2.17 ignore the filter: compare. [3.3] */
  listConversationsBySource(sourceId: string, signal: AbortSignal): Promise<WireConversation[]>;
  /** The last 20. [3.2] */
  listConversationsOfContact(contactId: string, signal: AbortSignal): Promise<WireConversation[]>;
  /** The status afterwards, `refused` when the server does not allow the change, `untold` for a success without a body. [3.3] */
  setStatus(conversationId: string, status: string, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface ClientContext {
  readonly dispatcher?: HttpDispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createLiveAgentClient(settings: LiveAgentSettings, context: ClientContext): LiveAgentClient {
  const account = settings.accountId;
  const http = createHttpClient({
    baseUrl: settings.baseUrl,
    // Rack reads dashes and underscores alike; proxies drop names with underscores.
    headers: { "Api-Access-Token": settings.apiKey },
    context,
    timeoutMs: settings.requestTimeoutMs,
    describeError,
  });
  // Without the key: what is asked here is public.
  const installation = createHttpClient({ baseUrl: installationOf(settings.baseUrl), context, timeoutMs: settings.requestTimeoutMs });
  const call = (request: HttpRequest): Promise<HttpResponse> => http.request(request);

  return {
    ...createAccountCalls(http, installation, account),
    ...createRoutingCalls(http, account),
    ...createMessageCalls(http, account),

    async createContact(fields, signal) {
      const path = pathOf`/accounts/${account}/contacts`;
      // An identifier is unique in the account, so a repeat makes no second contact.
      const isRepeatable = true;
      // One that names what was not sent cannot be helped by leaving it out.
      const onStatus = (response: HttpResponse): "accept" | undefined =>
        takenAttributes(response).some((attribute) => fields[attribute] !== undefined) ? "accept" : undefined;
      const response = await call({ method: "POST", path, json: fields, signal, isRepeatable, onStatus });
      if (response.status >= 300) return { taken: takenAttributes(response) };
      return { id: parseBody(response, contactCreatedSchema).payload.contact.id };
    },
    async findContact(identifier, signal) {
      const filter = { attribute_key: "identifier", filter_operator: "equal_to", values: [identifier], query_operator: null };
      const path = pathOf`/accounts/${account}/contacts/filter`;
      // The filter came with 1.22; the search before it matches parts of words.
      const onStatus = (response: HttpResponse): "accept" | undefined => (response.status === 404 ? "accept" : undefined);
      let response = await call({ method: "POST", path, json: { payload: [filter] }, signal, isRepeatable: true, onStatus });
      if (response.status === 404) {
        response = await call({ method: "GET", path: pathOf`/accounts/${account}/contacts/search`, query: { q: identifier }, signal });
      }
      return parseBody(response, contactListSchema).payload.find((contact) => contact.identifier === identifier)?.id;
    },

    async createConversation(fields, signal) {
      const path = pathOf`/accounts/${account}/conversations`;
      const onStatus = (response: HttpResponse): "accept" | undefined =>
        response.status === 404 || isSourceTaken(response) ? "accept" : undefined;
      const response = await call({ method: "POST", path, json: fields, signal, onStatus });
      if (response.status === 404) return "unknown-contact-or-inbox";
      if (response.status === 422) return "source-taken";
      return parseBody(response, conversationSchema);
    },
    async getConversation(conversationId, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}`;
      return parseBody(await call({ method: "GET", path, signal, onStatus: whenGone }), conversationSchema);
    },
    async listConversationsBySource(sourceId, signal) {
      const path = pathOf`/accounts/${account}/conversations`;
      const query = { source_id: sourceId, status: "all" };
      return parseBody(await call({ method: "GET", path, query, signal }), conversationListSchema).data.payload;
    },
    async listConversationsOfContact(contactId, signal) {
      const path = pathOf`/accounts/${account}/contacts/${contactId}/conversations`;
      return parseBody(await call({ method: "GET", path, signal }), contactConversationsSchema).payload;
    },
    async setStatus(conversationId, status, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/toggle_status`;
      const onStatus = (response: HttpResponse): Error | "accept" | undefined => (response.status === 422 ? "accept" : whenGone(response));
      const response = await call({ method: "POST", path, json: { status }, signal, isRepeatable: true, onStatus });
      if (response.status === 422) return "refused";
      return isEmpty(response) ? "untold" : parseBody(response, statusSchema).payload.current_status;
    },
    async close() {
      await Promise.all([http.close(), installation.close()]);
    },
  };
}

function isSourceTaken(response: HttpResponse): boolean {
  return response.status === 422 && /source_id/i.test(errorText(response));
}

function takenAttributes(response: HttpResponse): string[] {
  const attributes = (response.body as { attributes?: unknown } | undefined)?.attributes;
  if (response.status !== 422 || !Array.isArray(attributes)) return [];
  return attributes.filter((attribute): attribute is string => ["identifier", "email", "phone_number"].includes(String(attribute)));
}

/** Live Agent answers 401 to everything that is not allowed; only the text tells the cases apart. [2] */
const refusals: readonly (readonly [RegExp, ErrorDescription])[] = [
  [
    /sign in or sign up/i,
    { code: "CREDENTIALS_MISSING", message: "No token arrived: a proxy may have removed the header Api-Access-Token." },
  ],
  [/invalid access token/i, { message: "The API Key is not known: copy the Access Token from the technical user's Profile Settings." }],
  [/access this account/i, { code: "ACCOUNT_FORBIDDEN", message: "The technical user is not in this account: check the Account ID." }],
  [
    /do this action/i,
    { code: "PERMISSION_DENIED", message: "Give the technical user the administrator role, or make it a member of the inbox." },
  ],
  [/suspended/i, { code: "ACCOUNT_SUSPENDED", message: "The account is suspended." }],
  [/for bots|access_token/i, { code: "WRONG_TOKEN_KIND", message: "This token belongs to a bot or platform app: use that of a user." }],
  [/not enabled for this account/i, { code: "PERMISSION_DENIED", message: "The account's plan has no API access." }],
];

function describeError(response: HttpResponse): ErrorDescription | undefined {
  if (response.status === 401 || response.status === 403) {
    const words = errorText(response);
    return refusals.find(([pattern]) => pattern.test(words))?.[1];
  }
  if (response.status === 402) return { code: "PLAN_LIMIT", message: "The account's plan does not allow more." };
  return undefined;
}
