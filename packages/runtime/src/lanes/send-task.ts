import { ConversationGoneError, HandoverError, RateLimitedError } from "@handover/core";
import { isCallLate } from "../connections/call-deadline.ts";
import { callVendor } from "../connections/call-vendor.ts";
import { note } from "../handover/draft.ts";
import { beginEnding, isDeskClosed, markClosed } from "../handover/ending.ts";
import { nextDeskEntry } from "../handover/desk-entries.ts";
import { isPassed, passPart } from "../handover/part-cursor.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { StoredEntry } from "../entry.ts";
import { redactOlder } from "../redaction/redact-older.ts";
import type { PartRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { isAnswered } from "../support/describe-error.ts";
import { omit } from "../support/omit.ts";
import { dropParts, giveUpEntry, giveUpPart } from "./give-up.ts";
import { again, idle, idleUntil, type StepResult } from "./lane.ts";
import { planEntry } from "./plan-entry.ts";
import { changeSending, soonOver, storedPart, type SendScope } from "./send-scope.ts";
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
  return next.entry ? sendEntry(scope, next.entry) : idle;
}

/** The parts of an entry are stored in the same write that announces the call for the first of them, if that may be made now. */
async function sendEntry(scope: SendScope, entry: StoredEntry): Promise<StepResult> {
  const redacted = await redactOlder(scope.context, scope.key, entry);
  const planned = redacted ? planEntry(scope, redacted) : { error: "REDACTION_FAILED" };
  if ("error" in planned) return giveUpEntry(scope, entry.seq, entry.author?.role === "user", planned.error, []);
  const [first, ...others] = planned.parts;
  if (scope.connection.gate.mayCall(scope.key, "sendMessage")) return callSend(scope, first, others);
  await changeSending(scope, (draft) => {
    // The end may have been shown meanwhile, and what was on the lane have been given up with it.
    if (draft.handover.status === "ended" || isDeskClosed(draft.handover)) return undefined;
    if (isPassed(draft.handover, { seq: entry.seq, isUser: entry.author?.role === "user" })) return undefined;
    draft.parts.push(...planned.parts);
    return {};
  });
  return again;
}

async function sendPart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const { context, handover, connection } = scope;
  const nowMs = context.clock.now();
  if (part.status === "sending") return markUnclear(scope, { ...part, ...soonOver(context, part) }, undefined);
  if (isDeskClosed(handover) && part.status === "planned") return dropParts(scope);
  const giveUpAtMs = (part.firstAtMs ?? nowMs) + context.timing.connectionRetryMs;
  if (part.nextTryAtMs !== undefined && part.nextTryAtMs > nowMs) return idleUntil(part.nextTryAtMs);
  const needsCall = part.status !== "unclear" || connection.handle.findSentMessage !== undefined;
  const method = part.status === "unclear" ? "findSentMessage" : "sendMessage";
  if (needsCall && !connection.gate.mayCall(scope.key, method)) {
    if (nowMs >= giveUpAtMs) return giveUpPart(scope, part, "CONNECTION_PAUSED");
    // Only this process knows that it waits for a turn: whoever comes after it looks by itself.
    return idleUntil(Math.min(giveUpAtMs, nowMs + context.timing.catchUpIntervalMs));
  }
  return part.status === "unclear" ? resolvePart(scope, part) : callSend(scope, part);
}

/** @param others what is planned together with the part */
async function callSend(scope: SendScope, part: PartRecord, others: readonly PartRecord[] = []): Promise<StepResult> {
  const { context, connection, conversation, lease } = scope;
  await lease.hold(context.timing.callTimeoutMs);
  const callUntilMs = context.clock.now() + context.timing.callTimeoutMs;
  const sending: PartRecord = { ...omit(part, "nextTryAtMs"), status: "sending", calls: part.calls + 1, callUntilMs };
  const begun = { isSending: false };
  const current = await changeSending(scope, async (draft) => {
    // An echo may have come after the entry was looked up: what it has proved is not planned and sent anew.
    if (isPassed(draft.handover, { seq: part.seq, isUser: part.part.message.author.role === "user" })) return undefined;
    const hasArrived = (await storedPart(scope, part))?.status === "sent";
    begun.isSending = !hasArrived && draft.handover.status !== "ended" && !isDeskClosed(draft.handover);
    if (!hasArrived && !begun.isSending) return undefined;
    if (hasArrived) passPart(draft, part);
    else draft.parts.push(sending);
    draft.parts.push(...others);
    return {};
  });
  if (!begun.isSending || current?.attempt.number !== part.attempt) return again;
  let sent: { readonly vendorMessageId?: string };
  try {
    const view = toProviderHandover(conversation, current, current.attempt, connection);
    sent = await callVendor(
      context,
      { connection, method: "sendMessage", idempotencyKey: part.key, attempt: sending.calls, lease, untilMs: callUntilMs },
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
  // "Too many" is no fault of this message: it goes as soon as the vendor takes more.
  const isLasting = error?.effect === "connection" || RateLimitedError.isInstance(error);
  const patienceMs = isLasting ? context.timing.connectionRetryMs : context.timing.messageRetryMs;
  // Whoever was stopped for so long that the call was not made has tried nothing yet.
  const giveUpAtMs = (isCallLate(error) ? context.clock.now() : (part.firstAtMs ?? 0)) + patienceMs;
  if (error?.outcome !== "not-applied") {
    // What our own stop has cut off is looked into by whoever comes next.
    const isOver = context.clock.now() >= giveUpAtMs && !context.stopSignal.aborted;
    if (isOver) await giveUpUnclear(scope, part, error);
    else await markUnclear(scope, isAnswered(error) ? omit(part, "callUntilMs") : part, context.clock.now() + context.timing.echoWaitMs);
    return;
  }
  const nextTryAtMs = context.clock.now() + pauseAfter(part.calls, context.timing, context.random, error);
  const canRepeat = error.isRetryable || error.effect === "connection";
  if (!canRepeat || nextTryAtMs > giveUpAtMs) {
    await giveUpPart(scope, part, error.code, error);
    return;
  }
  await changeSending(scope, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "sent" || stored?.status === "failed") return undefined;
    note(draft, "send-failed", { code: error.code, seq: part.seq, call: part.calls });
    draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned", nextTryAtMs });
    return {};
  });
}

/** The vendor says that the conversation is over: what waits is not sent, and the handover ends. */
async function vendorHasEnded(scope: SendScope, part: PartRecord, error: HandoverError): Promise<void> {
  const reason = ConversationGoneError.isInstance(error) ? "completed" : "failed";
  await changeSending(scope, async (draft) => {
    // What had arrived before all the same stays so.
    const stored = await storedPart(scope, part);
    const isDealtWith = stored?.status === "sent" || stored?.status === "failed";
    if (!isDealtWith) draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned" });
    note(draft, "refused-as-ended", { code: error.code, seq: part.seq });
    beginEnding(draft, { reason, actor: "system", code: error.code, closedBy: "vendor", windowMs: scope.context.timing.reorderWindowMs });
    markClosed(draft);
    return {};
  });
}
