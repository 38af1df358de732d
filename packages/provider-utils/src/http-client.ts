import { Readable } from "node:stream";
import { ProviderApiError } from "@handover/core";
import type { Dispatcher } from "undici";
import { Agent, request as undiciRequest } from "undici";
import type { ZodType } from "zod";
import { abortedError, noAnswerError, statusError, tooLargeError, unexpectedAnswerError } from "./http-errors.ts";
import { encodeMultipart } from "./multipart.ts";
import { punctualDispatcher } from "./punctual-dispatcher.ts";
import type { HttpClient, HttpClientOptions, HttpHeaders, HttpRequest, HttpResponse } from "./http-types.ts";

const defaultTimeoutMs = 15_000;
const defaultMaxResponseBytes = 4 * 1024 * 1024;

/**
 * Makes a client for one vendor's API, on undici with a pool of connections: `context.dispatcher`, or its own.
 *
 * Error messages name method, path without values, and status; never headers, query, bodies or anything a user wrote.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const own = options.context.dispatcher ? undefined : createPool();
  const dispatcher = (options.context.dispatcher ?? own) as unknown as Dispatcher;
  const { clock, logger } = options.context;

  async function send(request: HttpRequest): Promise<HttpResponse> {
    const facts = { method: request.method, path: request.path, isRepeatable: request.isRepeatable ?? request.method === "GET" };
    if (isAborted(request.signal)) throw abortedError(facts, request.signal.reason, false);
    const headers = await credentialsFirst(request.signal, facts, () => headersOf(options.headers, request));
    const { body, headers: bodyHeaders } = bodyOf(request);
    const timeout = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs);
    const startedAtMs = clock.now();
    try {
      const answer = await undiciRequest(baseUrl + request.path.value + queryOf(request.query), {
        dispatcher: punctualDispatcher(dispatcher, request.signal),
        method: request.method,
        headers: { ...bodyHeaders, ...headers },
        body,
        signal: AbortSignal.any([request.signal, timeout]),
      });
      const maxBytes = options.maxResponseBytes ?? defaultMaxResponseBytes;
      const bytes = await readLimited(answer.body, maxBytes);
      logger.debug("vendor call", {
        method: facts.method,
        path: facts.path.shape,
        status: answer.statusCode,
        durationMs: clock.now() - startedAtMs,
      });
      if (bytes === "too-large") throw tooLargeError(facts, answer.statusCode, maxBytes);
      return { status: answer.statusCode, headers: answer.headers, ...parseText(bytes.toString("utf8")), request: facts };
    } catch (cause) {
      if (ProviderApiError.isInstance(cause)) throw cause;
      if (isAborted(request.signal)) throw abortedError(facts, cause, true);
      throw noAnswerError(facts, cause, timeout.aborted);
    }
  }

  async function sendWithFreshCredentials(request: HttpRequest): Promise<HttpResponse> {
    const response = await send(request);
    if (response.status !== 401 || !options.refreshCredentials || request.retryOn401 === false) return response;
    await options.refreshCredentials();
    return request.multipart ? response : send(request);
  }

  return {
    async request(request) {
      const response = await sendWithFreshCredentials(request);
      if (response.status < 300) return response;
      const verdict = request.onStatus?.(response);
      if (verdict === "accept") return response;
      throw verdict ?? statusError(response, options.describeError?.(response), clock);
    },
    async close() {
      await own?.close();
    },
  };
}

/**
 * Reads the body of a successful answer.
 *
 * @throws ProviderApiError `VENDOR_ANSWER_UNEXPECTED` that names the fields which do not fit, without their values
 */
export function parseBody<Output>(response: HttpResponse, schema: ZodType<Output>): Output {
  const result = schema.safeParse(response.body);
  if (result.success) return result.data;
  if (response.body === undefined) {
    throw unexpectedAnswerError(response, response.text === undefined ? "it is empty" : "it is not JSON");
  }
  const fields = result.error.issues.slice(0, 5).map((issue) => issue.path.map(String).join(".") || "(root)");
  throw unexpectedAnswerError(response, `check ${[...new Set(fields)].join(", ")}`);
}

/** One call per connection: with HTTP/2 a lost connection would leave many calls in doubt at once. */
function createPool(): Agent {
  return new Agent({ connections: 64, pipelining: 1, allowH2: false, connect: { timeout: 10_000 } });
}

/** Getting the headers may need a call of its own; whoever gives up meanwhile has sent nothing. */
async function credentialsFirst(
  signal: AbortSignal,
  facts: HttpResponse["request"],
  run: () => Promise<HttpHeaders>,
): Promise<HttpHeaders> {
  try {
    return await run();
  } catch (cause) {
    if (isAborted(signal)) throw abortedError(facts, cause, false);
    throw cause;
  }
}

async function headersOf(own: HttpClientOptions["headers"], request: HttpRequest): Promise<HttpHeaders> {
  return {
    accept: "application/json",
    "user-agent": "handover",
    ...(typeof own === "function" ? await own(request.signal) : own),
    ...request.headers,
  };
}

function bodyOf(request: HttpRequest): { readonly body: string | Readable | null; readonly headers: HttpHeaders } {
  if (request.json !== undefined) return { body: JSON.stringify(request.json), headers: { "content-type": "application/json" } };
  if (request.form !== undefined) {
    return { body: new URLSearchParams(request.form).toString(), headers: { "content-type": "application/x-www-form-urlencoded" } };
  }
  if (request.multipart === undefined) return { body: null, headers: {} };
  const { body, contentType, contentLength } = encodeMultipart(request.multipart);
  const length = contentLength === undefined ? {} : { "content-length": String(contentLength) };
  return { body: Readable.from(body), headers: { "content-type": contentType, ...length } };
}

function queryOf(query: HttpRequest["query"]): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(key, String(item));
  }
  return search.size === 0 ? "" : `?${search.toString()}`;
}

async function readLimited(body: Dispatcher.ResponseData["body"], maxBytes: number): Promise<Buffer | "too-large"> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maxBytes) return "too-large";
  }
  return Buffer.concat(chunks);
}

function parseText(text: string): Pick<HttpResponse, "body" | "text"> {
  if (text.trim() === "") return { body: undefined };
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return { body: undefined, text };
  }
}

/** A function, because the compiler takes a signal that was not aborted before for one that never is. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
