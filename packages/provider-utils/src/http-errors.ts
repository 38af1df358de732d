import { AuthenticationError, ProviderApiError, RateLimitedError, type Clock, type HandoverErrorOptions } from "@handover/core";
import type { ErrorDescription, HttpResponse } from "./http-types.ts";
import { readRetryAfter } from "./retry-after.ts";

type RequestFacts = HttpResponse["request"];

const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** The error for a call that got no answer: unreachable, cut off, too slow. */
export function noAnswerError(request: RequestFacts, cause: unknown, wasTimeout: boolean): ProviderApiError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const reason = typeof code === "string" ? ` (${code})` : "";
  if (isBeforeConnection(cause)) {
    return new ProviderApiError({
      code: "VENDOR_UNREACHABLE",
      message: `${name(request)}: the vendor cannot be reached${reason}. Check host, port, DNS, proxy and certificate.`,
      isRetryable: true,
      effect: "connection",
      cause,
    });
  }
  const what = wasTimeout ? "no answer in time" : `the connection broke before the answer was complete${reason}`;
  return new ProviderApiError({
    code: wasTimeout ? "VENDOR_TIMEOUT" : "VENDOR_CONNECTION_LOST",
    message: `${name(request)}: ${what}.`,
    isRetryable: true,
    outcome: lostOutcome(request),
    cause,
  });
}

/** The error for a call that its caller gave up. */
export function abortedError(request: RequestFacts, cause: unknown, wasSent: boolean): ProviderApiError {
  return new ProviderApiError({
    code: "CALL_ABORTED",
    message: `${name(request)}: given up, the deadline has passed or the host is stopping.`,
    isRetryable: true,
    outcome: wasSent ? lostOutcome(request) : "not-applied",
    cause,
  });
}

/** The error for an answer that is longer than the limit. */
export function tooLargeError(request: RequestFacts, status: number, maxBytes: number): ProviderApiError {
  return new ProviderApiError({
    code: "VENDOR_ANSWER_TOO_LARGE",
    message: `${name(request)}: the answer is larger than ${maxBytes} bytes.`,
    status,
    outcome: lostOutcome(request),
  });
}

/** The error for a success whose body is not what was expected. `problem` names fields, never values. */
export function unexpectedAnswerError(response: HttpResponse, problem: string): ProviderApiError {
  return new ProviderApiError({
    code: "VENDOR_ANSWER_UNEXPECTED",
    message: `${name(response.request)} answered ${response.status} with an unexpected body: ${problem}. Check the base URL and the version of the vendor's API.`,
    status: response.status,
    outcome: lostOutcome(response.request),
    ...withReference(headerReference(response)),
  });
}

/** The error that the status of an answer stands for. */
export function statusError(response: HttpResponse, description: ErrorDescription | undefined, clock: Clock): ProviderApiError {
  const { status, request } = response;
  const message = `${name(request)} answered ${status}${statusWords(status)}.${description?.message ? ` ${description.message}` : ""}`;
  const retryAfterMs = readRetryAfter(headerText(response, "retry-after"), clock);
  const facts = {
    message,
    status,
    ...(description?.code ? { code: description.code } : {}),
    ...(description?.vendorCode ? { vendorCode: shortened(description.vendorCode) } : {}),
    ...withReference(description?.vendorReferenceId ?? headerReference(response)),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (status === 429) return new RateLimitedError(facts);
  if (status === 401) return new AuthenticationError(facts);
  if (status === 403) return new AuthenticationError({ code: "PERMISSION_DENIED", ...facts });
  return new ProviderApiError({ ...statusMeaning(status, request), ...facts });
}

function statusMeaning(status: number, request: RequestFacts): Omit<HandoverErrorOptions, "message"> {
  if (status < 400) return { code: "VENDOR_REDIRECTED", effect: "connection" };
  if (status === 503) return { code: "VENDOR_FAILED", isRetryable: true, effect: "connection" };
  // A gateway that finds no server behind it says so for every call, not for this one.
  if (status === 502) return { code: "VENDOR_FAILED", isRetryable: true, effect: "connection", outcome: lostOutcome(request) };
  if (status >= 500) return { code: "VENDOR_FAILED", isRetryable: true, outcome: lostOutcome(request) };
  if (status === 408) return { code: "VENDOR_TIMEOUT", isRetryable: true, outcome: lostOutcome(request) };
  return { code: "VENDOR_REFUSED_CALL" };
}

function statusWords(status: number): string {
  if (status < 400) return " (a redirect: the base URL is probably not the final one)";
  if (status === 401) return ": the credentials are missing or not accepted";
  if (status === 403) return ": the credentials do not allow this call";
  if (status === 429) return ": too many calls";
  return "";
}

function isBeforeConnection(cause: unknown): boolean {
  const { code, syscall } = (cause ?? {}) as { code?: unknown; syscall?: unknown };
  return syscall === "connect" || syscall === "getaddrinfo" || (typeof code === "string" && neverConnected.has(code));
}

function lostOutcome(request: RequestFacts): "not-applied" | "unknown" {
  return request.isRepeatable ? "not-applied" : "unknown";
}

function name(request: RequestFacts): string {
  return `${request.method} ${request.path.shape}`;
}

/** One value of a header. */
function headerText(response: HttpResponse, header: string): string | undefined {
  const value = response.headers[header];
  return typeof value === "string" ? value : value?.[0];
}

function headerReference(response: HttpResponse): string | undefined {
  return headerText(response, "x-request-id");
}

function withReference(reference: string | undefined): { vendorReferenceId?: string } {
  return reference ? { vendorReferenceId: shortened(reference) } : {};
}

/** Vendor texts are kept short and without control characters, so that a log line stays a line. */
function shortened(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").slice(0, 100);
}
