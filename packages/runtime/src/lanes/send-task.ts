import { ConversationGoneError, HandoverError } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import { note } from "../handover/draft.ts";
import { beginEnding, isDeskClosed, markClosed } from "../handover/ending.ts";
import { nextDeskEntry } from "../handover/desk-entries.ts";
import { passPart } from "../handover/part-cursor.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { PartRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { omit } from "../support/omit.ts";
import { dropParts, giveUpPart } from "./give-up.ts";
import { again, idle, idleUntil, type StepResult } from "./lane.ts";
import { planEntry } from "./plan-entry.ts";
import { changeSending, storedPart, type SendScope } from "./send-scope.ts";
import { giveUpUnclear, markSent, markUnclear, resolvePart } from "./unclear-part.ts";

/** How far this worker has looked for entries that go to the desk; it only saves looking again. */
export interface Scanned {
  attempt: string;
  through: number;
}

/** Sends what the desk has not got, part by part. `idle` when there is nothing left. */
export async function sendTask(scope: SendScope, scanned: Scanned): Promise<StepResult> {
  const { context, handover } = scope;
  if (handover.attempt.relay === "none") return idle;
  const [head] = await context.store.readOpenParts(handover.id, handover.attempt.number);
  if (head) return sendPart(scope, head);
  if (isDeskClosed(handover)) return idle;
  const attempt = `${handover.id}/${handover.attempt.number}`;
  const next = await nextDeskEntry(context.store, handover, scanned.attempt === attempt ? scanned.through : 0);
  Object.assign(scanned, { attempt, through: next.scannedThrough });
  return next.entry ? planEntry(scope, next.entry) : idle;
}

async function sendPart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const { context, handover, connection } = scope;
  const nowMs = context.clock.now();
  if (part.status === "sending") return markUnclear(scope, part, undefined);
  if (isDeskClosed(handover) && part.status === "planned") return dropParts(scope);
  const giveUpAtMs = (part.firstAtMs ?? nowMs) + context.timing.connectionRetryMs;
  if (part.nextTryAtMs !== undefined && part.nextTryAtMs > nowMs) return idleUntil(part.nextTryAtMs);
  const needsCall = part.status !== "unclear" || connection.handle.findSentMessage !== undefined;
  if (needsCall && !connection.gate.mayCall(scope.key)) {
    return nowMs >= giveUpAtMs ? giveUpPart(scope, part, "CONNECTION_PAUSED") : idleUntil(giveUpAtMs);
  }
  return part.status === "unclear" ? resolvePart(scope, part) : callSend(scope, part);
}

async function callSend(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const { context, connection, conversation } = scope;
  const sending: PartRecord = {
    ...omit(part, "nextTryAtMs"),
    status: "sending",
    calls: part.calls + 1,
    callUntilMs: context.clock.now() + context.timing.callTimeoutMs,
  };
  const begun = { isSending: false };
  const current = await changeSending(scope, async (draft) => {
    const hasArrived = (await storedPart(scope, part))?.status === "sent";
    begun.isSending = !hasArrived && draft.handover.status !== "ended";
    if (hasArrived) passPart(draft, part);
    else if (begun.isSending) draft.parts.push(sending);
    return hasArrived || begun.isSending ? {} : undefined;
  });
  if (!begun.isSending || current?.attempt.number !== part.attempt) return again;
  let sent: { readonly vendorMessageId?: string };
  try {
    const view = toProviderHandover(conversation, current, current.attempt, connection);
    sent = await callVendor(
      context,
      { connection, method: "sendMessage", idempotencyKey: part.key, attempt: sending.calls },
      async (call, handle) => (await handle.sendMessage?.(view, part.part, call)) ?? {},
    );
  } catch (error) {
    await sendFailed(scope, sending, error);
    return again;
  }
  // Outside: when our own store fails, the message has been sent all the same.
  await markSent(scope, sending, sent.vendorMessageId);
  return again;
}

async function sendFailed(scope: SendScope, part: PartRecord, cause: unknown): Promise<void> {
  const { context } = scope;
  const error = HandoverError.isInstance(cause) ? cause : undefined;
  if (error?.effect === "handover") return vendorHasEnded(scope, part, error);
  const patienceMs = error?.effect === "connection" ? context.timing.connectionRetryMs : context.timing.messageRetryMs;
  const giveUpAtMs = (part.firstAtMs ?? 0) + patienceMs;
  if (error?.outcome !== "not-applied") {
    if (context.clock.now() >= giveUpAtMs) await giveUpUnclear(scope, part, error);
    else await markUnclear(scope, part, context.clock.now() + context.timing.echoWaitMs);
    return;
  }
  const nextTryAtMs = context.clock.now() + pauseAfter(part.calls, context.timing, context.random, error);
  const canRepeat = error.isRetryable || error.effect === "connection";
  if (!canRepeat || nextTryAtMs > giveUpAtMs) {
    await giveUpPart(scope, part, error.code, error);
    return;
  }
  await changeSending(scope, async (draft) => {
    if ((await storedPart(scope, part))?.status === "sent") return undefined;
    note(draft, "send-failed", { code: error.code, seq: part.seq, call: part.calls });
    draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned", nextTryAtMs });
    return {};
  });
}

/** The vendor says that the conversation is over: what waits is not sent, and the handover ends. */
async function vendorHasEnded(scope: SendScope, part: PartRecord, error: HandoverError): Promise<void> {
  const reason = ConversationGoneError.isInstance(error) ? "completed" : "failed";
  await changeSending(scope, (draft) => {
    draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned" });
    note(draft, "refused-as-ended", { code: error.code, seq: part.seq });
    beginEnding(draft, { reason, actor: "system", code: error.code, closedBy: "vendor", windowMs: scope.context.timing.reorderWindowMs });
    markClosed(draft);
    return {};
  });
}
