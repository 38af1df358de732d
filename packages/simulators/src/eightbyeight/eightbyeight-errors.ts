import { randomUUID } from "node:crypto";
import type { JsonObject } from "./eightbyeight-state.ts";

/** The shapes of the vendor's error bodies, as the fault `errorBody` names them. */
export const errorBodies = ["object", "list", "texts", "gateway"] as const;
type ErrorBody = (typeof errorBodies)[number] | "empty" | "html";

/** An answer that is not a success; its body depends on the status and on the call. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Another body than the call's own. */
  readonly errorBody: ErrorBody | undefined;

  constructor(status: number, code: string, message: string, errorBody?: ErrorBody) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.errorBody = errorBody;
  }
}

export function badRequest(code: string, message: string): ApiError {
  return new ApiError(400, code, message);
}

export function notFound(what: string): ApiError {
  return new ApiError(404, "resource_not_found", `There is no such ${what}.`);
}

export function accessDenied(errorBody?: ErrorBody): ApiError {
  return new ApiError(401, "access_denied", "Access Denied", errorBody);
}

export function forbidden(message: string): ApiError {
  return new ApiError(403, "forbidden", message);
}

/** The answer of the fault `failRate`. */
export function faultAnswer(fault: { readonly status: number; readonly errorBody?: string }): ApiError {
  const { status } = fault;
  const errorBody = fault.errorBody as ErrorBody | undefined;
  if (status === 401) return accessDenied(errorBody);
  const codes: Readonly<Record<number, string>> = { 403: "forbidden", 404: "resource_not_found", 429: "too_many_requests" };
  return new ApiError(status, codes[status] ?? (status < 500 ? "invalid_parameter" : "internal_error"), `Simulated ${status}`, errorBody);
}

export interface ErrorAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Each family of calls has its own shape for the same status. */
export function describeError(error: ApiError, method: string, path: string): ErrorAnswer {
  const { status, errorBody = shapeOf(status, method, path) } = error;
  if (errorBody === "empty") return { status, type: "application/problem+json", body: "" };
  if (errorBody === "html") {
    return { status, type: "text/html", body: `<!DOCTYPE html>\n<html><body><h1>${status} from the proxy</h1></body></html>\n` };
  }
  const type = errorBody === "gateway" ? "application/json" : "application/problem+json";
  return { status, type, body: JSON.stringify(buildBody(error, errorBody, hasReference(status, method, path))) };
}

function buildBody({ code, message }: ApiError, shape: (typeof errorBodies)[number], withReference: boolean): JsonObject {
  if (shape === "gateway") return { fault: { faultstring: message, detail: { errorcode: `steps.oauth.v2.${code}` } } };
  const entry = { code, message };
  const errors = shape === "object" ? entry : shape === "texts" ? [message] : [entry];
  return { message, errors, ...(withReference ? { referenceId: randomUUID() } : {}) };
}

function shapeOf(status: number, method: string, path: string): (typeof errorBodies)[number] {
  const isGeneric = method === "POST" && /\/(channels|attachments)$/.test(path);
  if (status === 403) return isGeneric ? "list" : "texts";
  if (status === 404) return isSignal(path) ? "list" : "texts";
  return status === 400 && isSending(method, path) ? "object" : "list";
}

function hasReference(status: number, method: string, path: string): boolean {
  return status === 401 || (status === 400 && (isSending(method, path) || isSignal(path)));
}

function isSending(method: string, path: string): boolean {
  return method === "POST" && path.endsWith("/messages");
}

function isSignal(path: string): boolean {
  return /\/(typing|thinking|read-receipt|post-agent-assignment|action-submit|action-execute)$/.test(path);
}
