import type { HttpDispatcher } from "@handover/core";
import type { Dispatcher } from "undici";
import { request } from "undici";
import type { HttpHeaders } from "./http-types.ts";

/** A file as it comes. */
export interface Download {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As `Content-Length` says; 0 where it does not. */
  readonly sizeBytes: number;
  /** Read it to its end or cancel it. */
  readonly stream: ReadableStream<Uint8Array>;
}

/**
 * Opens a file by its URL, without holding it in memory. Redirects are not followed, and every status is an answer. The URL is the
 * caller's to judge: one that came from elsewhere may lead to places that only this machine reaches.
 *
 * @throws the error of the connection, or that of the signal
 */
export async function openDownload(options: {
  readonly url: string;
  readonly headers?: HttpHeaders;
  readonly context: { readonly dispatcher?: HttpDispatcher };
  readonly signal: AbortSignal;
}): Promise<Download> {
  const dispatcher = options.context.dispatcher as unknown as Dispatcher | undefined;
  const answer = await request(options.url, {
    method: "GET",
    headers: { "user-agent": "handover", ...options.headers },
    signal: options.signal,
    ...(dispatcher ? { dispatcher } : {}),
  });
  // Whoever cancels the stream is not told of the connection that this cuts.
  answer.body.on("error", () => undefined);
  const length = Number(answer.headers["content-length"]);
  return {
    status: answer.statusCode,
    headers: answer.headers,
    sizeBytes: Number.isSafeInteger(length) && length > 0 ? length : 0,
    stream: toStream(answer.body),
  };
}

/** `Readable.toWeb` throws into nowhere when it is cancelled while something comes. */
function toStream(body: Dispatcher.ResponseData["body"]): ReadableStream<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: () => void body.destroy(),
  });
}
