import { ConversationGoneError, ProviderApiError, RateLimitedError, type Clock, type HttpDispatcher, type Logger } from "@handover/core";
import { createHttpClient, parseBody, pathOf, type ErrorDescription, type HttpRequest, type HttpResponse } from "@handover/provider-utils";
import type { LiveAgentSettings } from "./live-agent-settings.ts";
import {
  contactConversationsSchema,
  contactCreatedSchema,
  contactListSchema,
  conversationListSchema,
  conversationSchema,
  inboxListSchema,
  memberListSchema,
  messageCreatedSchema,
  messageListSchema,
  profileSchema,
  statusSchema,
  type WireConversation,
  type WireInbox,
  type WireMessage,
  type WireProfile,
} from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One method per call of the API; sections of the reference page in brackets. */
export interface LiveAgentClient {
  getProfile(signal: AbortSignal): Promise<WireProfile>; // [3.5]
  listInboxes(signal: AbortSignal): Promise<WireInbox[]>; // [3.5]
  countInboxMembers(inboxId: string, signal: AbortSignal): Promise<number>; // [3.5]
  getConversationsMeta(signal: AbortSignal): Promise<void>; // [2]
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
  /** The status afterwards, `refused` when the server does not allow the change. [3.3] */
  setStatus(conversationId: string, status: string, signal: AbortSignal): Promise<string>;
  setPriority(conversationId: string, priority: string, signal: AbortSignal): Promise<void>; // [3.3]
  createMessage(conversationId: string, fields: Fields, signal: AbortSignal): Promise<string>; // [3.4]
  listMessages(conversationId: string, query: { before?: string; after?: string }, signal: AbortSignal): Promise<WireMessage[]>; // [3.4]
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
  const call = (request: HttpRequest): Promise<HttpResponse> => http.request(request);

  return {
    async getProfile(signal) {
      return parseBody(await call({ method: "GET", path: pathOf`/profile`, signal }), profileSchema);
    },
    async listInboxes(signal) {
      return parseBody(await call({ method: "GET", path: pathOf`/accounts/${account}/inboxes`, signal }), inboxListSchema).payload;
    },
    async countInboxMembers(inboxId, signal) {
      const path = pathOf`/accounts/${account}/inbox_members/${inboxId}`;
      return parseBody(await call({ method: "GET", path, signal }), memberListSchema).payload.length;
    },
    async getConversationsMeta(signal) {
      await call({ method: "GET", path: pathOf`/accounts/${account}/conversations/meta`, signal });
    },

    async createContact(fields, signal) {
      const path = pathOf`/accounts/${account}/contacts`;
      // An identifier is unique in the account, so a repeat makes no second contact.
      const isRepeatable = true;
      const onStatus = (response: HttpResponse): "accept" | undefined => (takenAttributes(response).length > 0 ? "accept" : undefined);
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
      return response.status === 422 ? "refused" : parseBody(response, statusSchema).payload.current_status;
    },
    async setPriority(conversationId, priority, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/toggle_priority`;
      await call({ method: "POST", path, json: { priority }, signal, isRepeatable: true });
    },

    async createMessage(conversationId, fields, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages`;
      const onStatus = (response: HttpResponse): Error | undefined => (isFlood(response) ? floodError() : whenGone(response));
      const response = await call({ method: "POST", path, json: fields, signal, onStatus });
      const { id } = parseBody(response, messageCreatedSchema);
      if (id !== null) return id;
      // Until 1.20 a message that could not be saved was answered with 200 and no id.
      throw new ProviderApiError({
        code: "MESSAGE_NOT_STORED",
        message: "Live Agent answered 200 but did not store the message.",
        status: 200,
      });
    },
    async listMessages(conversationId, query, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages`;
      const response = await call({
        method: "GET",
        path,
        query: { before: query.before, after: query.after },
        signal,
        onStatus: whenGone,
      });
      return parseBody(response, messageListSchema).payload;
    },
    close: () => http.close(),
  };
}

/** 404 is documented; what newer versions or a proxy in front may say besides is inferred. */
function whenGone(response: HttpResponse): Error | undefined {
  const { status } = response;
  if (status !== 404 && status !== 409 && status !== 410) return undefined;
  return new ConversationGoneError({ message: "Live Agent no longer has this conversation, or it is over.", status });
}

/** 200 messages a minute are allowed in one conversation since 3.9; the others of the account go on. */
function floodError(): Error {
  const retryAfterMs = 5000;
  return new RateLimitedError({
    message: "Live Agent takes no more messages in this conversation for a moment.",
    status: 422,
    effect: "message",
    retryAfterMs,
  });
}

function isFlood(response: HttpResponse): boolean {
  return response.status === 422 && /too many messages/i.test(errorText(response));
}

function isSourceTaken(response: HttpResponse): boolean {
  return response.status === 422 && /source_id/i.test(errorText(response));
}

function takenAttributes(response: HttpResponse): string[] {
  const attributes = (response.body as { attributes?: unknown } | undefined)?.attributes;
  if (response.status !== 422 || !Array.isArray(attributes)) return [];
  return attributes.filter((attribute): attribute is string => ["identifier", "email", "phone_number"].includes(String(attribute)));
}

/** All shapes of an error body; only compared with known texts, never shown. [5] */
function errorText(response: HttpResponse): string {
  const { error, message, errors } = (response.body ?? {}) as { error?: unknown; message?: unknown; errors?: unknown };
  return [error, message, ...(Array.isArray(errors) ? (errors as unknown[]) : [])].filter((part) => typeof part === "string").join(" ");
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
