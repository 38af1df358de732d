import { HandoverError } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import { note } from "../handover/draft.ts";
import { isDeskClosed } from "../handover/ending.ts";
import { passPart, settledPart } from "../handover/part-cursor.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { PartRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { dropParts, giveUpPart } from "./give-up.ts";
import { again, idleUntil, type StepResult } from "./lane.ts";
import { changeSending, storedPart, type SendScope } from "./send-scope.ts";

/** Notes that nobody knows whether a part has arrived, and when to look. */
export async function markUnclear(scope: SendScope, part: PartRecord, nextTryAtMs: number | undefined): Promise<StepResult> {
  await changeSending(scope, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "sent") {
      passPart(draft, part);
      return {};
    }
    // Whoever showed the end meanwhile has let go of it.
    if (stored?.status === "failed") return undefined;
    note(draft, "send-unclear", { seq: part.seq, call: part.calls });
    draft.parts.push({ ...part, status: "unclear", ...(nextTryAtMs === undefined ? {} : { nextTryAtMs }) });
    return {};
  });
  return again;
}

/** The patience is over, and the last try had no clear outcome either: it is looked for once more. */
export async function giveUpUnclear(scope: SendScope, part: PartRecord, error: HandoverError | undefined): Promise<void> {
  const answer = await findSent(scope, part);
  if (typeof answer === "object") await markSent(scope, part, answer.vendorMessageId);
  else await giveUpPart(scope, part, error?.code ?? "OUTCOME_UNKNOWN", error);
}

/** Asks whether a part has arrived; sends it again only when it surely has not, or when nobody can tell (then marked). */
export async function resolvePart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  // What is absent when a call of ours may still arrive can be there a moment later, however late we read the answer.
  const askedAtMs = scope.context.clock.now();
  const answer = await findSent(scope, part);
  if (typeof answer === "object") {
    await markSent(scope, part, answer.vendorMessageId);
    return again;
  }
  const { context, handover } = scope;
  const nowMs = context.clock.now();
  const callUntilMs = part.callUntilMs ?? askedAtMs;
  if (answer === "failed") return waitForPart(scope, part);
  if (askedAtMs < callUntilMs)
    return retryAt(scope, part, "unclear", Math.min(Math.max(callUntilMs, nowMs), nowMs + context.timing.retryFirstMs * 10));
  if (isDeskClosed(handover)) return dropParts(scope);
  const isRepeat = answer === "unknown";
  await changeSending(scope, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "failed") return undefined;
    if (stored?.status === "sent") {
      passPart(draft, part);
      return {};
    }
    if (isRepeat) {
      note(draft, "send-possibly-repeated", { seq: part.seq });
      draft.amend.push({ seq: part.seq, isPossiblyDuplicated: true });
    }
    const next = settledPart(part, "planned");
    draft.parts.push(isRepeat ? { ...next, isPossiblyDuplicated: true } : next);
    return {};
  });
  return again;
}

async function findSent(
  scope: SendScope,
  part: PartRecord,
): Promise<{ readonly vendorMessageId?: string } | "absent" | "unknown" | "failed"> {
  const { context, connection, conversation, handover } = scope;
  if (!connection.handle.findSentMessage) return "unknown";
  try {
    const view = toProviderHandover(conversation, handover, handover.attempt, connection);
    const sent = { part: part.part, idempotencyKey: part.key, firstAttemptAtMs: part.firstAtMs ?? 0 };
    return await callVendor(
      context,
      { connection, method: "findSentMessage", idempotencyKey: part.key, attempt: part.calls, lease: scope.lease },
      async (call, handle) => (await handle.findSentMessage?.(view, sent, call)) ?? "unknown",
    );
  } catch (error) {
    return HandoverError.isInstance(error) && error.effect === "handover" ? "absent" : "failed";
  }
}

/** The vendor could not be asked: try again while there is patience, then give the part up. */
function waitForPart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const { context } = scope;
  const nowMs = context.clock.now();
  if (nowMs >= (part.firstAtMs ?? 0) + context.timing.connectionRetryMs) return giveUpPart(scope, part, "OUTCOME_UNKNOWN");
  return retryAt(scope, part, "unclear", nowMs + pauseAfter(4, context.timing, context.random));
}

async function retryAt(scope: SendScope, part: PartRecord, status: "unclear" | "planned", nextTryAtMs: number): Promise<StepResult> {
  await changeSending(scope, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "failed") return undefined;
    if (stored?.status === "sent") passPart(draft, part);
    else draft.parts.push({ ...part, status, nextTryAtMs });
    return {};
  });
  return idleUntil(nextTryAtMs);
}

/** Notes that the desk has a part, and goes on behind it. */
export async function markSent(scope: SendScope, part: PartRecord, vendorMessageId: string | undefined): Promise<void> {
  await changeSending(scope, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status !== "sent" || stored.vendorMessageId === undefined) {
      draft.parts.push({
        ...settledPart(part, "sent"),
        ...(vendorMessageId === undefined ? {} : { vendorMessageId }),
      });
    }
    passPart(draft, part);
    return {};
  });
  scope.context.metrics.count("handover_messages_sent_total", { connection: scope.connection.name });
}
