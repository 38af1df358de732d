import { ConversationGoneError, HandoverError, isEmptyMessage, type MessagePart } from "@handover/core";
import { createHash } from "node:crypto";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import type { StoredEntry } from "../entry.ts";
import { requireEndpoint } from "../endpoints.ts";
import { note, showNotice } from "../handover/draft.ts";
import { beginEnding, markClosed } from "../handover/ending.ts";
import { nextDeskEntry, toMessage } from "../handover/desk-entries.ts";
import { isInTranscript, passEntry, passPart } from "../handover/part-cursor.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { ConversationRecord, HandoverRecord, PartRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorSummary } from "../support/describe-error.ts";
import { omit } from "../support/omit.ts";
import { changeHandover } from "./change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/** What a step of sending needs to know. */
interface SendScope extends LaneScope {
  readonly conversation: ConversationRecord;
  readonly handover: HandoverRecord;
  readonly connection: Connection;
}

/** Sends what the desk has not got, part by part. `idle` when there is nothing left. */
export async function sendTask(scope: SendScope): Promise<StepResult> {
  const { context, handover } = scope;
  if (handover.attempt.relay === "none") return idle;
  const [head] = await context.store.readOpenParts(handover.id, handover.attempt.number);
  if (head) return sendPart(scope, head);
  if (handover.ending?.closedBy === "vendor") return idle;
  const entry = await nextDeskEntry(context.store, handover);
  return entry ? planEntry(scope, entry) : idle;
}

async function planEntry(scope: SendScope, entry: StoredEntry): Promise<StepResult> {
  const { connection, handover, conversation } = scope;
  const message = toMessage(entry);
  const view = toProviderHandover(conversation, handover, handover.attempt, connection);
  const canSend = connection.handle.sendMessage !== undefined;
  const planned = canSend ? (connection.handle.planMessage?.(view, message) ?? [{ message }]) : [];
  const parts = planned.filter((part) => !isEmptyMessage(part.message) || part.data !== undefined);
  if (parts.length === 0) return giveUpEntry(scope, entry.seq, entry.author?.role === "user", "UNSUPPORTED_MESSAGE", []);
  const records = parts.map((part, index) => toPartRecord(handover, entry.seq, part, index, parts.length, scope.context.clock.now()));
  await changeHandover(scope, handover.id, (draft) => {
    if (draft.handover.attempt.number !== handover.attempt.number) return undefined;
    draft.parts.push(...records);
    return {};
  });
  return again;
}

function toPartRecord(handover: HandoverRecord, seq: number, part: MessagePart, index: number, count: number, nowMs: number): PartRecord {
  const attempt = handover.attempt.number;
  const key = createHash("sha256").update(`${handover.id}/${attempt}/${seq}/${index}`).digest("base64url").slice(0, 24);
  return { handover: handover.id, attempt, seq, index, count, key, part, status: "planned", calls: 0, firstAtMs: nowMs };
}

async function sendPart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const { context, handover, connection } = scope;
  const nowMs = context.clock.now();
  if (part.status === "sending") return markUnclear(scope, part, undefined);
  if (handover.ending?.closedBy === "vendor" && part.status === "planned") return dropParts(scope);
  const giveUpAtMs = (part.firstAtMs ?? nowMs) + context.timing.connectionRetryMs;
  if (part.nextTryAtMs !== undefined && part.nextTryAtMs > nowMs) return idleUntil(part.nextTryAtMs);
  if (!connection.gate.mayCall(scope.key)) {
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
  const current = await changeHandover(scope, part.handover, (draft) => {
    draft.parts.push(sending);
    return {};
  });
  if (!current) return idle;
  try {
    const view = toProviderHandover(conversation, current, current.attempt, connection);
    const sent = await callVendor(
      context,
      { connection, method: "sendMessage", idempotencyKey: part.key, attempt: sending.calls },
      async (call, handle) => (await handle.sendMessage?.(view, part.part, call)) ?? {},
    );
    await markSent(scope, sending, sent.vendorMessageId);
  } catch (error) {
    await sendFailed(scope, sending, error);
  }
  return again;
}

async function markSent(scope: SendScope, part: PartRecord, vendorMessageId: string | undefined): Promise<void> {
  scope.context.metrics.count("handover_messages_sent_total", { connection: scope.connection.name });
  await changeHandover(scope, part.handover, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status !== "sent") {
      draft.parts.push({
        ...omit(part, "callUntilMs", "nextTryAtMs"),
        status: "sent",
        ...(vendorMessageId === undefined ? {} : { vendorMessageId }),
      });
    }
    passPart(draft, part);
    return {};
  });
}

async function storedPart(scope: SendScope, part: PartRecord): Promise<PartRecord | undefined> {
  return scope.context.store.findPart(part.handover, { key: part.key });
}

async function sendFailed(scope: SendScope, part: PartRecord, cause: unknown): Promise<void> {
  const { context } = scope;
  const error = HandoverError.isInstance(cause) ? cause : undefined;
  if (error?.effect === "handover") return vendorHasEnded(scope, part, error);
  if (error?.outcome !== "not-applied") {
    await markUnclear(scope, part, context.clock.now() + context.timing.echoWaitMs);
    return;
  }
  const nextTryAtMs = context.clock.now() + pauseAfter(part.calls, context.timing, context.random, error);
  const patienceMs = error.effect === "connection" ? context.timing.connectionRetryMs : context.timing.messageRetryMs;
  const canRepeat = error.isRetryable || error.effect === "connection";
  if (!canRepeat || nextTryAtMs > (part.firstAtMs ?? 0) + patienceMs) {
    await giveUpPart(scope, part, error.code, error);
    return;
  }
  await changeHandover(scope, part.handover, async (draft) => {
    if ((await storedPart(scope, part))?.status === "sent") return undefined;
    note(draft, "send-failed", { code: error.code, seq: part.seq, call: part.calls });
    draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned", nextTryAtMs });
    return {};
  });
}

/** The vendor says that the conversation is over: what waits is not sent, and the handover ends. */
async function vendorHasEnded(scope: SendScope, part: PartRecord, error: HandoverError): Promise<void> {
  const reason = ConversationGoneError.isInstance(error) ? "completed" : "failed";
  await changeHandover(scope, part.handover, (draft) => {
    draft.parts.push({ ...omit(part, "callUntilMs"), status: "planned" });
    note(draft, "refused-as-ended", { code: error.code, seq: part.seq });
    beginEnding(draft, { reason, actor: "system", code: error.code, closedBy: "vendor", windowMs: scope.context.timing.reorderWindowMs });
    markClosed(draft);
    return {};
  });
}

async function markUnclear(scope: SendScope, part: PartRecord, nextTryAtMs: number | undefined): Promise<StepResult> {
  await changeHandover(scope, part.handover, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "sent") {
      passPart(draft, part);
      return {};
    }
    note(draft, "send-unclear", { seq: part.seq, call: part.calls });
    draft.parts.push({ ...part, status: "unclear", ...(nextTryAtMs === undefined ? {} : { nextTryAtMs }) });
    return {};
  });
  return again;
}

/** Asks whether a part has arrived; sends it again only when it surely has not, or when nobody can tell (then marked). */
async function resolvePart(scope: SendScope, part: PartRecord): Promise<StepResult> {
  const answer = await findSent(scope, part);
  if (typeof answer === "object") {
    await markSent(scope, part, answer.vendorMessageId);
    return again;
  }
  const { context, handover } = scope;
  const nowMs = context.clock.now();
  const callUntilMs = part.callUntilMs ?? nowMs;
  if (answer === "failed") return waitForPart(scope, part);
  if (nowMs < callUntilMs) return retryAt(scope, part, "unclear", Math.min(callUntilMs, nowMs + context.timing.retryFirstMs * 10));
  if (handover.ending?.closedBy === "vendor") return dropParts(scope);
  const isRepeat = answer === "unknown";
  await changeHandover(scope, part.handover, (draft) => {
    if (isRepeat) note(draft, "send-possibly-repeated", { seq: part.seq });
    const next = { ...omit(part, "callUntilMs", "nextTryAtMs"), status: "planned" as const };
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
      { connection, method: "findSentMessage", idempotencyKey: part.key, attempt: part.calls },
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
  await changeHandover(scope, part.handover, async (draft) => {
    const stored = await storedPart(scope, part);
    if (stored?.status === "sent") passPart(draft, part);
    else draft.parts.push({ ...part, status, nextTryAtMs });
    return {};
  });
  return idleUntil(nextTryAtMs);
}

async function giveUpPart(scope: SendScope, part: PartRecord, code: string, error?: HandoverError): Promise<StepResult> {
  scope.context.logger.error(`A message could not be delivered to the desk${error ? `: ${errorSummary(error)}` : "."}`, {
    handover: part.handover,
    connection: scope.connection.name,
    seq: part.seq,
    code,
  });
  const parts = await scope.context.store.readParts(part.handover, part.attempt, part.seq);
  const isUser = part.part.message.author.role === "user";
  return giveUpEntry(
    scope,
    part.seq,
    isUser,
    code,
    parts.filter((candidate) => candidate.status !== "sent"),
  );
}

/** The sender is told, and the lane goes on behind the entry. */
async function giveUpEntry(
  scope: SendScope,
  seq: number,
  isUser: boolean,
  code: string,
  parts: readonly PartRecord[],
): Promise<StepResult> {
  const { context, handover, conversation } = scope;
  const { messageFailed } = requireEndpoint(context.endpoints, conversation.endpoint).texts;
  await changeHandover(scope, handover.id, (draft) => {
    draft.parts.push(...parts.map((part) => ({ ...omit(part, "callUntilMs", "nextTryAtMs"), status: "failed" as const })));
    passEntry(draft, { seq, isUser });
    note(draft, "message-given-up", { code, seq });
    if (isUser && !isInTranscript(draft.handover, { seq, isUser })) {
      showNotice(draft, "message-failed", {
        about: seq,
        cause: { actor: "system", code },
        ...(messageFailed === "" ? {} : { text: messageFailed }),
      });
    }
    return {};
  });
  return again;
}

/** The desk has closed: parts that surely never left are taken off the lane; their entries count as undelivered. */
async function dropParts(scope: SendScope): Promise<StepResult> {
  const { context, handover } = scope;
  const open = await context.store.readOpenParts(handover.id, handover.attempt.number);
  await changeHandover(scope, handover.id, (draft) => {
    draft.parts.push(...open.map((part) => ({ ...omit(part, "callUntilMs", "nextTryAtMs"), status: "failed" as const })));
    return {};
  });
  return again;
}
