import { HandoverError } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorSummary } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import type { LaneScope } from "./lane.ts";

/** How a try to end a conversation at the vendor came out. */
export type EndTry =
  | { readonly kind: "closed" }
  | { readonly kind: "given-up"; readonly code: string }
  | { readonly kind: "later"; readonly end: NonNullable<AttemptRecord["end"]> };

/** Calls `end` once and says how to go on. */
export async function tryEnd(
  scope: LaneScope,
  request: {
    readonly conversation: ConversationRecord;
    readonly handover: HandoverRecord;
    readonly attempt: AttemptRecord;
    readonly connection: Connection;
    /** How long errors may be repeated, if they can be at all. Default: as long as those of a message. */
    readonly patienceMs?: number;
  },
): Promise<EndTry> {
  const { context } = scope;
  const { handover, attempt, connection } = request;
  const nowMs = context.clock.now();
  const before = attempt.end ?? { calls: 0, firstAtMs: nowMs, nextTryAtMs: nowMs, isDone: false };
  if (!connection.handle.end) return { kind: "given-up", code: "CANNOT_END" };
  if (before.isRequested) return { kind: "given-up", code: "END_NOT_CONFIRMED" };
  const calls = before.calls + 1;
  try {
    const view = toProviderHandover(request.conversation, handover, attempt, connection);
    const { reason, actor } = handover.ending ?? handover.ended ?? { reason: "cancelled" as const, actor: "system" as const };
    const result = await callVendor(
      context,
      { connection, method: "end", idempotencyKey: `${handover.id}-e${attempt.number}`, attempt: calls, lease: scope.lease },
      async (call, handle) => (await handle.end?.(view, { reason, actor }, call)) ?? "ended",
    );
    if (result === "ended") return { kind: "closed" };
    return { kind: "later", end: { ...before, calls, nextTryAtMs: context.clock.now() + context.timing.callTimeoutMs, isRequested: true } };
  } catch (cause) {
    return afterFailure(scope, cause, { ...before, calls }, request);
  }
}

function afterFailure(
  scope: LaneScope,
  cause: unknown,
  end: NonNullable<AttemptRecord["end"]>,
  request: { readonly handover: HandoverRecord; readonly connection: Connection; readonly patienceMs?: number },
): EndTry {
  const { context } = scope;
  const error = HandoverError.isInstance(cause) ? cause : undefined;
  if (error?.effect === "handover") return { kind: "closed" };
  const nowMs = context.clock.now();
  // The longer it has been in vain, the rarer.
  const pauseMs = Math.max(pauseAfter(end.calls, context.timing, context.random, cause), (nowMs - end.firstAtMs) / 8);
  const nextTryAtMs = nowMs + Math.round(pauseMs);
  const ownPatienceMs = error?.effect === "connection" ? context.timing.connectionRetryMs : context.timing.messageRetryMs;
  const patienceMs = request.patienceMs ?? ownPatienceMs;
  const canRepeat = !error || error.isRetryable || error.effect === "connection";
  if (canRepeat && nextTryAtMs <= end.firstAtMs + patienceMs) return { kind: "later", end: { ...end, nextTryAtMs } };
  context.logger.error(
    `A conversation could not be ended at the desk and may still be open there: ${errorSummary(cause)}`,
    failureFields(context, { handover: request.handover.id, connection: request.connection.name }, { error: cause }),
  );
  return { kind: "given-up", code: error?.code ?? "UNEXPECTED_ERROR" };
}
