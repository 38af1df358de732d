import type { Clock, HttpDispatcher, Logger } from "@handover/core";
import {
  createHttpClient,
  openDownload,
  parseBody,
  pathOf,
  statusError,
  type Download,
  type HttpRequest,
  type HttpResponse,
  type MultipartFile,
} from "@handover/provider-utils";
import type { ZodType } from "zod";
import { createErrorDescription, whenGone } from "./eightbyeight-errors.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";
import {
  attachmentPageSchema,
  channelPageSchema,
  channelSchema,
  conversationPageSchema,
  conversationSchema,
  createdSchema,
  messagePageSchema,
  participantPageSchema,
  queueStatisticsSchema,
  uploadedSchema,
  webhookPageSchema,
  webhookSchema,
  type Page,
  type WireAttachment,
  type WireChannel,
  type WireConversation,
  type WireMessage,
  type WireParticipant,
  type WireWebhook,
} from "./eightbyeight-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Which page of a list; 8x8 counts from 0. */
export interface PageQuery {
  readonly page: number;
  readonly size: number;
  /** FIQL. */
  readonly filter?: string;
}

/** A page of messages, newest first, and what time it is at 8x8 (Unix milliseconds, to the second). */
type MessagePage = Page<WireMessage> & { readonly dateMs?: number };

/** One method per call of the API; sections of the reference page in brackets. */
export interface EightbyeightClient {
  createConversation(fields: Fields, signal: AbortSignal): Promise<{ conversationId: string; createdAt?: string | undefined }>; // [3.3]
  getConversation(conversationId: string, signal: AbortSignal): Promise<WireConversation>; // [3.3]
  listConversations(query: PageQuery, signal: AbortSignal): Promise<Page<WireConversation>>; // [3.3]
  changeConversation(conversationId: string, fields: Fields, signal: AbortSignal): Promise<void>; // [3.7]
  removeCustomer(conversationId: string, signal: AbortSignal): Promise<void>; // [3.7]
  listParticipants(conversationId: string, signal: AbortSignal): Promise<readonly WireParticipant[]>; // [3.4]
  createMessage(conversationId: string, fields: Fields, signal: AbortSignal): Promise<void>; // [3.4]
  listMessages(conversationId: string, query: PageQuery, signal: AbortSignal): Promise<MessagePage>; // [3.4]
  sendTyping(conversationId: string, signal: AbortSignal): Promise<void>; // [3.5]
  sendReadReceipt(conversationId: string, readAtMs: number, signal: AbortSignal): Promise<void>; // [3.5]
  upload(conversationId: string, authorType: string, file: Omit<MultipartFile, "field">, signal: AbortSignal): Promise<string>; // [3.6]
  listAttachments(conversationId: string, query: PageQuery, signal: AbortSignal): Promise<Page<WireAttachment>>; // [3.6]
  /** @throws ProviderApiError with the status */
  openAttachment(conversationId: string, attachmentId: string, signal: AbortSignal): Promise<Download>; // [3.6]
  listChannels(query: PageQuery, signal: AbortSignal): Promise<Page<WireChannel>>; // [3.2]
  getChannel(channelId: string, signal: AbortSignal): Promise<WireChannel>; // [3.2]
  createChannel(fields: Fields, signal: AbortSignal): Promise<WireChannel>; // [3.2]
  listWebhooks(query: PageQuery, signal: AbortSignal): Promise<Page<WireWebhook>>; // [3.1]
  getWebhook(webhookId: string, signal: AbortSignal): Promise<WireWebhook>; // [3.1]
  createWebhook(fields: Fields, signal: AbortSignal): Promise<WireWebhook>; // [3.1]
  verifyWebhook(uri: string, signal: AbortSignal): Promise<void>; // [3.1]
  /** How many agents of a queue could take somebody; nothing where 8x8 does not say. [3.7] */
  countAgents(queueId: string, signal: AbortSignal): Promise<number | undefined>;
  close(): Promise<void>;
}

/** The only version of webhooks; a text with blanks. */
export const webhookVersion = "Chat Gateway v1.0";

interface ClientContext {
  readonly dispatcher?: HttpDispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Account = Pick<EightbyeightSettings, "baseUrl" | "apiKey" | "tenant"> & { readonly requestTimeoutMs?: number };

export function createEightbyeightClient(settings: Account, context: ClientContext): EightbyeightClient {
  const { tenant } = settings;
  const headers = {
    accept: "application/hal+json, application/json",
    "x-api-key": settings.apiKey,
    ...(tenant === undefined ? {} : { "X-8x8-Tenant": tenant }),
  };
  const describeError = createErrorDescription(tenant);
  const http = createHttpClient({
    baseUrl: settings.baseUrl,
    headers,
    context,
    ...(settings.requestTimeoutMs === undefined ? {} : { timeoutMs: settings.requestTimeoutMs }),
    describeError,
  });
  const call = (request: HttpRequest): Promise<HttpResponse> => http.request(request);
  const read = async <Output>(schema: ZodType<Output>, request: HttpRequest): Promise<Output> => parseBody(await call(request), schema);
  const about = (request: HttpRequest): Promise<HttpResponse> => call({ ...request, onStatus: whenGone });

  return {
    createConversation: (json, signal) =>
      read(createdSchema, { method: "POST", path: pathOf`/chat-gateway/v1/conversations`, json, signal }),
    async getConversation(id, signal) {
      return parseBody(await about({ method: "GET", path: pathOf`/chat-gateway/v1/conversations/${id}`, signal }), conversationSchema);
    },
    listConversations: ({ page, size, filter }, signal) =>
      read(conversationPageSchema, { method: "GET", path: pathOf`/chat-gateway/v1/conversations`, query: { page, size, filter }, signal }),
    async changeConversation(id, json, signal) {
      await about({ method: "PATCH", path: pathOf`/chat-gateway/v1/conversations/${id}`, json, signal, isRepeatable: true });
    },
    async removeCustomer(id, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/participants/user`;
      await about({ method: "PATCH", path, json: { removed: true }, signal, isRepeatable: true });
    },
    async listParticipants(id, signal) {
      const response = await about({ method: "GET", path: pathOf`/chat-gateway/v1/conversations/${id}/participants`, signal });
      return parseBody(response, participantPageSchema).items;
    },
    async createMessage(id, json, signal) {
      // The answer has no body and no id.
      await about({ method: "POST", path: pathOf`/chat-gateway/v1/conversations/${id}/messages`, json, signal });
    },
    async listMessages(id, { page, size }, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/messages`;
      const response = await about({ method: "GET", path, query: { page, size, sort: "createdAt:desc" }, signal });
      const dateMs = Date.parse(String(response.headers["date"]));
      return { ...parseBody(response, messagePageSchema), ...(Number.isNaN(dateMs) ? {} : { dateMs }) };
    },
    async sendTyping(id, signal) {
      await about({ method: "POST", path: pathOf`/chat-gateway/v1/conversations/${id}/typing`, json: { authorType: "user" }, signal });
    },
    async sendReadReceipt(id, readAt, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/read-receipt`;
      await about({ method: "POST", path, json: { authorType: "user", readAt }, signal, isRepeatable: true });
    },
    async upload(id, authorType, file, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/attachments`;
      const multipart = { fields: { authorType }, files: [{ ...file, field: "attachment" }] };
      // A file that no message names is seen by nobody, so a second upload does no harm.
      const response = await about({ method: "POST", path, multipart, signal, isRepeatable: true });
      return parseBody(response, uploadedSchema).id;
    },
    async listAttachments(id, { page, size }, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/attachments`;
      return read(attachmentPageSchema, { method: "GET", path, query: { page, size }, signal });
    },
    async openAttachment(id, attachmentId, signal) {
      const path = pathOf`/chat-gateway/v1/conversations/${id}/attachments/${attachmentId}/content`;
      const download = await openDownload({ url: settings.baseUrl + path.value, headers: { ...headers, accept: "*/*" }, context, signal });
      if (download.status === 200) return download;
      await download.stream.cancel();
      const { status, headers: answered } = download;
      const response = { status, headers: answered, body: undefined, request: { method: "GET", path, isRepeatable: true } } as const;
      throw statusError(response, describeError(response), context.clock);
    },
    listChannels: (query, signal) =>
      read(channelPageSchema, { method: "GET", path: pathOf`/chat-gateway/v1/channels`, query: { ...query }, signal }),
    getChannel: (id, signal) => read(channelSchema, { method: "GET", path: pathOf`/chat-gateway/v1/channels/${id}`, signal }),
    createChannel: (json, signal) => read(channelSchema, { method: "POST", path: pathOf`/chat-gateway/v1/channels`, json, signal }),
    listWebhooks: (query, signal) =>
      read(webhookPageSchema, { method: "GET", path: pathOf`/chat-gateway/v1/webhooks`, query: { ...query }, signal }),
    getWebhook: (id, signal) => read(webhookSchema, { method: "GET", path: pathOf`/chat-gateway/v1/webhooks/${id}`, signal }),
    createWebhook: (json, signal) => read(webhookSchema, { method: "POST", path: pathOf`/chat-gateway/v1/webhooks`, json, signal }),
    async verifyWebhook(uri, signal) {
      const json = { version: webhookVersion, uri };
      await call({ method: "POST", path: pathOf`/chat-gateway/v1/webhooks/verify`, json, signal, isRepeatable: true });
    },
    async countAgents(queueId, signal) {
      const { queue } = await read(queueStatisticsSchema, { method: "GET", path: pathOf`/cc/v1/stats/rt/queue/${queueId}`, signal });
      const counts = [queue["agent-count-waitTransact"], queue["agent-count-busy"], queue["agent-count-postProcess"]];
      const known = counts.filter((count) => count !== undefined);
      return known.length === 0 ? queue["enabled-agent-count"] : known.reduce((sum, count) => sum + count, 0);
    },
    close: () => http.close(),
  };
}
