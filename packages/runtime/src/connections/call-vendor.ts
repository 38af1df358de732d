import { HandoverError, type Call, type HandoverConnection, type StartProgress } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorCode } from "../support/describe-error.ts";
import type { Connection } from "./connection-registry.ts";

/** One call of a connection's method. */
export interface VendorCall {
  readonly connection: Connection;
  readonly method: keyof HandoverConnection;
  readonly idempotencyKey: string;
  readonly attempt?: number;
  /** Default: the runtime's time for one call. */
  readonly timeoutMs?: number;
  /** The method does not call the vendor's API: it says nothing about whether the vendor can be reached. */
  readonly isOffline?: true;
}

/**
 * Calls a method of a connection with a deadline. Whatever goes wrong comes out as a `HandoverError` whose outcome is known
 * or `unknown`, and the account's gate learns of it.
 */
export async function callVendor<Result>(
  context: RuntimeContext,
  request: VendorCall,
  run: (call: Call, handle: HandoverConnection) => Promise<Result>,
): Promise<Result> {
  const { connection, method } = request;
  const timeoutMs = request.timeoutMs ?? context.timing.callTimeoutMs;
  const abort = new AbortController();
  const stopWithRuntime = () => abort.abort(new Error("The runtime stops."));
  context.stopSignal.addEventListener("abort", stopWithRuntime, { once: true });
  const deadlineMs = context.clock.now() + timeoutMs;
  const timedOut = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener("abort", () => reject(abort.signal.reason as Error), { once: true });
  });
  timedOut.catch(() => undefined);
  const cancelTimer = context.clock.after(timeoutMs, () => abort.abort(timeoutError(connection, method, timeoutMs)));
  const call: Call = {
    signal: abort.signal,
    deadlineMs,
    idempotencyKey: request.idempotencyKey,
    attempt: request.attempt ?? 1,
    readAttachment: (id) => Promise.reject(attachmentNotFound(id)),
    logger: context.logger,
    tracer: { span: (_name, _attributes, step) => step() },
  };
  try {
    if (!request.isOffline) await Promise.race([connection.prepare(call), timedOut]);
    const result = await Promise.race([run(call, connection.handle), timedOut]);
    if (!request.isOffline) report(context, connection, method, undefined);
    return result;
  } catch (cause) {
    const error = toHandoverError(cause, connection, method);
    if (!request.isOffline) report(context, connection, method, error);
    throw error;
  } finally {
    cancelTimer();
    context.stopSignal.removeEventListener("abort", stopWithRuntime);
  }
}

/** A call of `start` or `findStarted`: the same with a way to save progress. */
export function withCheckpoint(call: Call, checkpoint: (progress: StartProgress) => Promise<void>) {
  return { ...call, checkpoint };
}

function report(context: RuntimeContext, connection: Connection, method: string, error: HandoverError | undefined): void {
  context.metrics.count("handover_vendor_calls_total", {
    connection: connection.name,
    method,
    result: error ? error.code : "OK",
  });
  if (error?.effect === "connection") connection.gate.failed(error);
  else connection.gate.succeeded();
}

function toHandoverError(cause: unknown, connection: Connection, method: string): HandoverError {
  if (HandoverError.isInstance(cause)) return cause;
  return new HandoverError({
    code: "PROVIDER_FAILED",
    message: `${connection.provider.title}: "${method}" failed with ${errorCode(cause)}. This is a fault of the provider or of the network; the cause says more.`,
    isRetryable: true,
    outcome: "unknown",
    cause,
  });
}

function timeoutError(connection: Connection, method: string, timeoutMs: number): HandoverError {
  return new HandoverError({
    code: "VENDOR_TIMEOUT",
    message: `${connection.provider.title} did not answer "${method}" within ${timeoutMs} ms.`,
    isRetryable: true,
    outcome: "unknown",
    effect: "connection",
  });
}

function attachmentNotFound(id: string): HandoverError {
  return new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: `There is no attachment ${JSON.stringify(id)}.` });
}
