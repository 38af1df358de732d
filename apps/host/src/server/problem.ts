import { HandoverError, InvalidConfigError } from "@handover/core";

export interface ProblemOptions {
  readonly status: number;
  /** Upper snake case, stable: programs decide by it. */
  readonly code: string;
  /** What to do, for the developer of the client. No secret, no text of a user. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is an error (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: ProblemOptions) {
    super(options.detail);
    this.status = options.status;
    this.code = options.code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not authorised",
  403: "Not allowed",
  404: "Not found",
  409: "Not possible now",
  410: "Gone",
  413: "Too large",
  414: "Too long a URL",
  415: "Unsupported media type",
  429: "Too many requests",
  500: "Something failed here",
  503: "Not available now",
};

/** The body of a problem document. */
export function problemBody(problem: Problem): object {
  return {
    type: `urn:handover:problem:${problem.code.toLowerCase().replaceAll("_", "-")}`,
    title: titles[problem.status] ?? "Error",
    status: problem.status,
    code: problem.code,
    detail: problem.detail,
  };
}

const statusByCode: Readonly<Record<string, number>> = {
  ENDPOINT_NOT_FOUND: 404,
  CONNECTION_NOT_FOUND: 404,
  NO_HANDOVER: 404,
  HANDOVER_ENDING: 503,
  INVALID_CONVERSATION: 400,
  INVALID_MESSAGE: 400,
  INVALID_SEQ: 400,
  INVALID_SURVEY: 400,
  SURVEY_NOT_FOUND: 404,
  SURVEY_CLOSED: 409,
  SURVEY_ANSWERED: 409,
  MESSAGE_EMPTY: 400,
  MESSAGE_TOO_LONG: 413,
  UNKNOWN_ATTACHMENT: 400,
  TOO_MANY_ATTACHMENTS: 409,
  ATTACHMENT_TOO_LARGE: 413,
  ATTACHMENT_NOT_FOUND: 404,
  ATTACHMENT_NOT_READY: 503,
  ATTACHMENT_UNAVAILABLE: 410,
  TOO_MANY_WAITING: 429,
  REDACTION_FAILED: 503,
  OVERLOADED: 503,
  HANDOVER_NOT_CONFIGURED: 409,
  STORE_IN_USE: 503,
  STORE_READ_ONLY: 503,
  STORE_NEWER: 503,
  STORE_FAILED: 503,
  NOT_RUNNING: 503,
};

const fastifyProblems: Readonly<Record<string, ProblemOptions>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: "INVALID_JSON", detail: "The body is not JSON." },
  FST_ERR_CTP_EMPTY_JSON_BODY: { status: 400, code: "INVALID_JSON", detail: "The body is empty. Send a JSON object." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: "INVALID_BODY", detail: "The body is not as long as Content-Length says." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, code: "UNSUPPORTED_MEDIA_TYPE", detail: "Send JSON with Content-Type: application/json." },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: "BODY_TOO_LARGE", detail: "The body is too large. Send less at once." },
  FST_ERR_BAD_URL: { status: 400, code: "INVALID_URL", detail: "The URL is not encoded correctly. Percent-encode each part as UTF-8." },
  FST_ERR_MAX_PARAM_LENGTH: { status: 414, code: "URL_TOO_LONG", detail: "A part of the URL is too long." },
};

/** The problem that tells an error to a client. What is not known stays vague: its message may hold anything. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (InvalidConfigError.isInstance(error)) return new Problem({ status: 400, code: "INVALID_OPTIONS", detail: error.message });
  if (HandoverError.isInstance(error)) return fromHandoverError(error);
  const known = fastifyProblems[(error as { code?: string }).code ?? ""];
  if (known) return new Problem(known);
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem({ status: statusCode, code: "BAD_REQUEST", detail: "The request cannot be understood." });
  }
  return new Problem({ status: 500, code: "INTERNAL", detail: "Something failed on our side. It was logged; try again later." });
}

function fromHandoverError(error: HandoverError): Problem {
  const status = statusByCode[error.code] ?? (error.isRetryable ? 503 : 500);
  const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
  const isLater = status === 503 || status === 429;
  const detail = status === 500 ? "Something failed on our side. It was logged; try again later." : error.message;
  return new Problem({ status, code: error.code, detail, ...(isLater ? { headers: { "retry-after": String(retryAfterSeconds) } } : {}) });
}
