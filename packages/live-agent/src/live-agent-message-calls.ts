import { ConversationGoneError, HandoverError, ProviderApiError, RateLimitedError } from "@handover/core";
import { parseBody, pathOf, type HttpClient, type HttpResponse, type MultipartFile } from "@handover/provider-utils";
import { messageCreatedSchema, messageListSchema, type WireMessage } from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Calls about the messages of a conversation. Section 3.4 of the reference page. */
export interface MessageCalls {
  /** The message's id; nothing when the server does not know what `content_type` and `items` say (422), or says nothing of a note. */
  createMessage(conversationId: string, fields: Fields, signal: AbortSignal): Promise<string | undefined>;
  /** The same as a form, with files. @throws HandoverError `ATTACHMENT_REFUSED`, `ATTACHMENT_TOO_LARGE` */
  createMessageWithFiles(conversationId: string, fields: Fields, files: readonly MultipartFile[], signal: AbortSignal): Promise<string>;
  listMessages(conversationId: string, query: { before?: string; after?: string }, signal: AbortSignal): Promise<WireMessage[]>;
  /** Ticks for agents (4.2 and newer). False where the server has no such call. */
  setMessageStatus(conversationId: string, messageId: string, fields: Fields, signal: AbortSignal): Promise<boolean>;
}

export function createMessageCalls(http: HttpClient, account: string): MessageCalls {
  return {
    async createMessage(conversationId, fields, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages`;
      const isRich = fields["content_type"] !== undefined;
      const onStatus = (response: HttpResponse): Error | "accept" | undefined => {
        if (isFlood(response)) return floodError();
        return isRich && response.status === 422 ? "accept" : whenGone(response);
      };
      const response = await http.request({ method: "POST", path, json: fields, signal, onStatus });
      if (response.status === 422 || (fields["private"] === true && isEmpty(response))) return undefined;
      return idOf(response);
    },
    async createMessageWithFiles(conversationId, fields, files, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages`;
      const onStatus = (response: HttpResponse): Error | undefined =>
        isFlood(response) ? floodError() : (refusedFile(response) ?? whenGone(response));
      const multipart = { fields: asFormFields(fields), files };
      return idOf(await http.request({ method: "POST", path, multipart, signal, onStatus }));
    },
    async listMessages(conversationId, { before, after }, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages`;
      const response = await http.request({ method: "GET", path, query: { before, after }, signal, onStatus: whenGone });
      return parseBody(response, messageListSchema).payload;
    },
    async setMessageStatus(conversationId, messageId, fields, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/messages/${messageId}`;
      // 403: an inbox of another kind.
      const onStatus = ({ status }: HttpResponse): "accept" | undefined => ([403, 404, 405].includes(status) ? "accept" : undefined);
      const { status } = await http.request({ method: "PATCH", path, json: fields, signal, isRepeatable: true, onStatus });
      return status < 300;
    },
  };
}

/** 404 is documented; what newer versions or a proxy in front may say besides is inferred. */
export function whenGone(response: HttpResponse): Error | undefined {
  const { status } = response;
  if (status !== 404 && status !== 409 && status !== 410) return undefined;
  return new ConversationGoneError({ message: "Live Agent no longer has this conversation, or it is over.", status });
}

/** A success of which nothing more is said. */
export function isEmpty({ body, text }: HttpResponse): boolean {
  return body === undefined && text === undefined;
}

function idOf(response: HttpResponse): string {
  const { id } = parseBody(response, messageCreatedSchema);
  if (id !== null) return id;
  // Until 1.20 a message that could not be saved was answered with 200 and no id.
  throw new ProviderApiError({
    code: "MESSAGE_NOT_STORED",
    message: "Live Agent answered 200 but did not store the message.",
    status: 200,
  });
}

/** A form has texts only: objects go as their JSON. */
function asFormFields(fields: Fields): Record<string, string> {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    kept.map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean)]),
  );
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

/** The server says why in words of its own, which are not shown; a proxy in front refuses what is too large. */
function refusedFile({ status }: HttpResponse): Error | undefined {
  if (status === 413) {
    return new HandoverError({
      code: "ATTACHMENT_TOO_LARGE",
      message: "The file is too large for the server or a proxy in front of it (413).",
    });
  }
  if (status !== 415 && status !== 422) return undefined;
  return new HandoverError({
    code: "ATTACHMENT_REFUSED",
    message: `Live Agent does not take the file (${status}): its type, its size or what a virus scan says of it is not allowed there.`,
  });
}

/** All shapes of an error body; only compared with known texts, never shown. [5] */
export function errorText(response: HttpResponse): string {
  const { error, message, errors } = (response.body ?? {}) as { error?: unknown; message?: unknown; errors?: unknown };
  return [error, message, ...(Array.isArray(errors) ? (errors as unknown[]) : [])].filter((part) => typeof part === "string").join(" ");
}
