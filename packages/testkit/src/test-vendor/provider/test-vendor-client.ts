import { ConversationGoneError, UnavailableError, UnsupportedError, type ProviderContext } from "@handover/core";
import { createHttpClient, parseBody, pathOf, type HttpHeaders, type HttpRequest, type HttpResponse } from "@handover/provider-utils";
import type { z, ZodType } from "zod";
import { createCredentials } from "./test-vendor-credentials.ts";
import type { TestVendorSettings } from "./test-vendor-settings.ts";
import { wireAnswers } from "./test-vendor-wire.ts";

/** A body or signal to send to one conversation. */
interface Send {
  readonly conversation: string;
  readonly json: unknown;
  readonly signal: AbortSignal;
}

/** The API of the test vendor: one method per call. */
export interface TestVendorClient {
  getAccount(signal: AbortSignal): Promise<z.output<typeof wireAnswers.account>>;
  getAvailability(signal: AbortSignal): Promise<z.output<typeof wireAnswers.availability>>;
  getQueues(conversations: readonly string[], signal: AbortSignal): Promise<z.output<typeof wireAnswers.queues>>;
  getAgent(id: string, signal: AbortSignal): Promise<z.output<typeof wireAnswers.agent>>;
  createConversation(json: unknown, signal: AbortSignal): Promise<z.output<typeof wireAnswers.conversation>>;
  findConversations(query: NonNullable<HttpRequest["query"]>, signal: AbortSignal): Promise<z.output<typeof wireAnswers.conversations>>;
  listEvents(conversation: string, after: number, signal: AbortSignal): Promise<z.output<typeof wireAnswers.events>>;
  createMessage(send: Send): Promise<z.output<typeof wireAnswers.message>>;
  findMessages(conversation: string, externalId: string, signal: AbortSignal): Promise<z.output<typeof wireAnswers.messages>>;
  closeConversation(send: Send): Promise<void>;
  changeConversation(send: Send): Promise<void>;
  signal(kind: "typing" | "presence" | "receipts" | "survey", send: Send): Promise<void>;
  /** What a call carries that is made without this client. */
  headers(signal: AbortSignal): Promise<HttpHeaders>;
  close(): Promise<void>;
}

/** Makes a client. It opens nothing until the first call. */
export function createTestVendorClient(settings: TestVendorSettings, context: ProviderContext): TestVendorClient {
  const credentials = createCredentials(settings, context);
  const http = createHttpClient({
    baseUrl: settings.baseUrl,
    ...credentials.clientOptions,
    context,
    describeError: (response) => withCode(errorCode(response)),
  });

  async function read<Output>(schema: ZodType<Output>, request: HttpRequest): Promise<Output> {
    return parseBody(await http.request({ onStatus: meaningOf, ...request }), schema);
  }
  const get = <Output>(schema: ZodType<Output>, request: Omit<HttpRequest, "method">) => read(schema, { method: "GET", ...request });
  const send = async (method: "POST" | "PATCH", path: HttpRequest["path"], { json, signal }: Send): Promise<void> => {
    await http.request({ method, path, json, signal, onStatus: meaningOf });
  };

  return {
    getAccount: (signal) => get(wireAnswers.account, { path: pathOf`/account`, signal }),
    getAvailability: (signal) => get(wireAnswers.availability, { path: pathOf`/availability`, signal }),
    getQueues: (conversation, signal) => get(wireAnswers.queues, { path: pathOf`/queue`, query: { conversation }, signal }),
    getAgent: (id, signal) => get(wireAnswers.agent, { path: pathOf`/agents/${id}`, signal }),
    createConversation: (json, signal) => read(wireAnswers.conversation, { method: "POST", path: pathOf`/conversations`, json, signal }),
    findConversations: (query, signal) => get(wireAnswers.conversations, { path: pathOf`/conversations`, query, signal }),
    listEvents: (id, after, signal) => get(wireAnswers.events, { path: pathOf`/conversations/${id}/events`, query: { after }, signal }),
    createMessage: ({ conversation, json, signal }) =>
      read(wireAnswers.message, { method: "POST", path: pathOf`/conversations/${conversation}/messages`, json, signal }),
    findMessages: (id, externalId, signal) =>
      get(wireAnswers.messages, { path: pathOf`/conversations/${id}/messages`, query: { external_id: externalId }, signal }),
    async closeConversation({ conversation, json, signal }) {
      const onStatus = (response: HttpResponse) => (isOver(response) ? "accept" : undefined);
      await http.request({
        method: "POST",
        path: pathOf`/conversations/${conversation}/close`,
        json,
        signal,
        isRepeatable: true,
        onStatus,
      });
    },
    changeConversation: (change) => send("PATCH", pathOf`/conversations/${change.conversation}`, change),
    signal: (kind, data) => send("POST", pathOf`/conversations/${data.conversation}/${kind}`, data),
    headers: (signal) => credentials.headers(signal),
    async close() {
      await http.close();
      await credentials.close();
    },
  };
}

/** Errors that mean something special: the conversation is over, or the desk takes nobody. */
function meaningOf(response: HttpResponse): Error | undefined {
  if (isOver(response)) {
    return new ConversationGoneError({
      message: "The conversation is over at the test vendor. Nothing more can be sent to it.",
      status: response.status,
      ...withCode(errorCode(response)),
    });
  }
  if (errorCode(response) === "desk_closed") return new UnavailableError({ message: "Nobody is at work at the test vendor." });
  if (response.status === 501) return new UnsupportedError({ message: "This test vendor cannot do that." });
  return undefined;
}

function isOver(response: HttpResponse): boolean {
  const isUnderConversation = response.request.path.shape.startsWith("/conversations/:");
  return isUnderConversation && [404, 409, 410].includes(response.status);
}

function errorCode(response: HttpResponse): string | undefined {
  const { error } = (response.body ?? {}) as { error?: { code?: unknown } };
  return typeof error?.code === "string" ? error.code : undefined;
}

function withCode(vendorCode: string | undefined): { vendorCode?: string } {
  return vendorCode === undefined ? {} : { vendorCode };
}
