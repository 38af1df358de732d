import type { Clock, HttpDispatcher, Logger } from "@handover/core";
import type { RequestPath } from "./http-path.ts";

/** Header names and values. May hold secrets: it is never logged and never part of an error. */
export type HttpHeaders = Readonly<Record<string, string>>;

/** What an HTTP client is made of. */
export interface HttpClientOptions {
  /** Where the vendor's API is; may have a path. A trailing slash does not matter. */
  readonly baseUrl: string;
  /** Sent with every request: credentials, mostly. As a function it is asked before each request, and again after a 401. */
  readonly headers?: HttpHeaders | ((signal: AbortSignal) => HttpHeaders | Promise<HttpHeaders>);
  /** A `ProviderContext`, or the part of it that is needed. Without a dispatcher the client makes its own connection pool. */
  readonly context: { readonly dispatcher?: HttpDispatcher; readonly clock: Clock; readonly logger: Logger };
  /** For one request from the first byte sent to the last byte read. Default: 15 seconds. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, in bytes. Default: 4 MiB. */
  readonly maxResponseBytes?: number;
  /** Forgets credentials that the vendor refused. Where it is given, a request answered 401 is sent once more. */
  readonly refreshCredentials?: () => void | Promise<void>;
  /** Says what an answer with an error status means, in words that are safe to show. */
  readonly describeError?: (response: HttpResponse) => ErrorDescription | undefined;
}

/** What may be told of a vendor's error answer: no secret, no text of a user. */
export interface ErrorDescription {
  /** Replaces the default `code` of the error. */
  readonly code?: string;
  /** The vendor's own short code. */
  readonly vendorCode?: string;
  /** The vendor's id of the failed call. Default: the `x-request-id` header. */
  readonly vendorReferenceId?: string;
  /** What it means and what to do, in our own words: one sentence. */
  readonly message?: string;
}

/** A file of a multipart body. */
export interface MultipartFile {
  /** Name of the form's field, `attachments[]` for example; several files may have the same. */
  readonly field: string;
  /** The file's own name, any Unicode. */
  readonly name: string;
  readonly type: string;
  /** 0 when it is not known: then the body has no `Content-Length`. */
  readonly sizeBytes: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** A form with files. */
export interface MultipartBody {
  /** Stand before the files. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly files: readonly MultipartFile[];
}

/** One call of a vendor's API. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: RequestPath;
  /** Absent values are left out, lists repeat their key. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;
  /** Added to the client's headers. */
  readonly headers?: HttpHeaders;
  /** A body to send as JSON. */
  readonly json?: unknown;
  /** A body to send as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>>;
  /** A body to send as `multipart/form-data`, streamed. Such a request is not sent again after a 401: its files are read by then. */
  readonly multipart?: MultipartBody;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /**
   * A repeat changes nothing, so a lost answer counts as `not-applied`. Default: true for GET, false otherwise. Say true for
   * searches by POST and for writes that set a value.
   */
  readonly isRepeatable?: boolean;
  /** Set to false to have a 401 at once. Default: true. */
  readonly retryOn401?: boolean;
  /**
   * Asked for each status of 300 and above: an error to throw instead of the usual one, `"accept"` to get the response, or
   * nothing.
   */
  readonly onStatus?: (response: HttpResponse) => Error | "accept" | undefined;
}

/** The vendor's answer. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON; `undefined` for an empty body and for anything else. */
  readonly body: unknown;
  /** The body as it came when it is not JSON. May hold anything: for recognising an answer, never for showing it. */
  readonly text?: string;
  readonly request: Pick<HttpRequest, "method" | "path"> & { readonly isRepeatable: boolean };
}

/** Calls one vendor's API. Redirects are not followed and nothing is repeated, but for one try after a 401. */
export interface HttpClient {
  /**
   * @throws RateLimitedError for 429
   * @throws AuthenticationError for 401 and 403
   * @throws ProviderApiError for every other status from 300 and where there is no answer; `outcome` says whether the call may
   * have been carried out
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes the client's own connections, once what is under way is done. */
  close(): Promise<void>;
}
