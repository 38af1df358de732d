import { HandoverError, type Call, type HandoverConnection, type StartProgress } from "@handover/core";
import { readAttachment } from "../attachments/read-attachment.ts";
import type { Lease } from "../conversation/lease.ts";
import { LeaseLostError } from "../conversation/transact.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorCode } from "../support/describe-error.ts";
import { whenAborted } from "../support/when-aborted.ts";
import type { RunningCall } from "./account-gate.ts";
import type { CallPriority, VendorMethod } from "./call-priority.ts";
import { callLate, endsInTime, isCallLate, timeoutError } from "./call-deadline.ts";
import type { Connection } from "./connection-registry.ts";

/** One call of a connection's method. */
export interface VendorCall {
  readonly connection: Connection;
  readonly method: VendorMethod;
  /** Default: as urgent as the method is. */
  readonly priority?: CallPriority;
  readonly idempotencyKey: string;
  readonly attempt?: number;
  /** What the conversation is worked on under: the call is over before it ends, and is aborted when it is lost. */
  readonly lease?: Lease;
  /** Until when the call was announced in the store, in Unix milliseconds: whoever comes too late does not call any more. */
  readonly untilMs?: number;
  /** The method does not call the vendor's API: it says nothing about whether the vendor can be reached. */
  readonly isOffline?: true;
  /** Nobody waits for it: its failure says nothing about whether messages get through, unless the vendor asks to wait. */
  readonly isBeside?: true;
}

/**
 * Calls a method of a connection with a deadline. Whatever goes wrong comes out as a `HandoverError` whose outcome is known
 * or `unknown`, and the account's gate learns of it.
 *
 * @throws HandoverError; LeaseLostError when somebody else has the conversation
 */
export async function callVendor<Result>(
  context: RuntimeContext,
  request: VendorCall,
  run: (call: Call, handle: HandoverConnection) => Promise<Result>,
): Promise<Result> {
  const { connection, method, lease } = request;
  const { callTimeoutMs } = context.timing;
  // What was announced was announced under the lease already.
  if (lease && request.untilMs === undefined) await lease.hold(callTimeoutMs);
  const deadlineMs = request.untilMs ?? context.clock.now() + callTimeoutMs;
  const requireTime = () => {
    if (lease?.signal.aborted) throw new LeaseLostError();
    if (context.clock.now() >= deadlineMs) throw callLate(connection, method);
  };
  requireTime();
  const running = request.isOffline ? undefined : connection.gate.begin(method, request.priority);
  const open = openCall(context, request, deadlineMs);
  try {
    if (running) await Promise.race([connection.prepare(open.call), open.over]);
    requireTime();
    open.call.signal.throwIfAborted();
    const result = await Promise.race([run(open.call, connection.handle), open.over]);
    if (running) report(context, request, running, undefined);
    return result;
  } catch (cause) {
    if (cause instanceof LeaseLostError || isCallLate(cause)) {
      running?.abandoned();
      throw cause;
    }
    const error = toHandoverError(cause, connection, method);
    if (running) report(context, request, running, error);
    throw error;
  } finally {
    open.close();
  }
}

/** What a provider is given. `over` rejects when nobody waits for the answer any more: the signal says so too. */
function openCall(
  context: RuntimeContext,
  { connection, method, lease, idempotencyKey, attempt = 1 }: VendorCall,
  deadlineMs: number,
): { readonly call: Call; readonly over: Promise<never>; close(): void } {
  const { clock, stopSignal } = context;
  const timeoutMs = deadlineMs - clock.now();
  const tooLong = () => timeoutError(connection, method, timeoutMs);
  const abort = new AbortController();
  const over = new Promise<never>((_resolve, reject) => {
    whenAborted(abort.signal, () => reject(abort.signal.reason as Error));
  });
  over.catch(() => undefined);
  const cancelTimer = clock.after(timeoutMs, () => abort.abort(tooLong()));
  const forgetStop = whenAborted(stopSignal, () => abort.abort(new Error("The runtime stops.")));
  const forgetLease = lease && whenAborted(lease.signal, () => abort.abort(new LeaseLostError()));
  return {
    over,
    close() {
      cancelTimer();
      forgetStop();
      forgetLease?.();
    },
    call: {
      signal: endsInTime(abort, () => clock.now() >= deadlineMs, tooLong),
      deadlineMs,
      idempotencyKey,
      attempt,
      readAttachment: (id) => readAttachment(context, { key: lease?.conversation, id, signal: abort.signal }),
      logger: context.logger,
      tracer: { span: (_name, _attributes, step) => step() },
    },
  };
}

/** A call of `start` or `findStarted`: the same with a way to save progress. */
export function withCheckpoint(call: Call, checkpoint: (progress: StartProgress) => Promise<void>) {
  return { ...call, checkpoint };
}

function report(context: RuntimeContext, request: VendorCall, running: RunningCall, error: HandoverError | undefined): void {
  const { connection, method } = request;
  context.metrics.count("handover_vendor_calls_total", {
    connection: connection.name,
    method,
    result: error ? error.code : "OK",
  });
  const saysNothing = request.isBeside && error?.retryAfterMs === undefined && !connection.gate.isPaused;
  if (error && saysNothing) running.abandoned();
  else if (error?.effect === "connection") running.failed(error);
  else running.succeeded();
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
