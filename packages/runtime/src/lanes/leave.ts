import { callVendor, withCheckpoint } from "../connections/call-vendor.ts";
import { packState, type Started } from "@handover/core";
import { note, type Draft } from "../handover/draft.ts";
import { readTranscript } from "../handover/desk-entries.ts";
import { toStartRequest } from "../handover/provider-view.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";
import { changeHandover } from "./change-handover.ts";
import { checkStarted, referencesInInbox, startKey } from "./start-task.ts";
import { tryEnd } from "./end-task.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/** Ends, in the background, what attempts that were given up or opened again may have left at a vendor. */
export async function leaveStep(scope: LaneScope): Promise<StepResult> {
  const { context, key } = scope;
  const conversation = await context.store.readConversation(key);
  if (!conversation) return idle;
  const times: (number | undefined)[] = [];
  for (const handover of await context.store.readOpenHandovers(key)) {
    for (const attempt of attemptsToLeave(handover)) {
      const result = await leaveAttempt(scope, conversation, handover, attempt);
      if (result.again) return result;
      times.push(result.wakeAtMs);
    }
  }
  return idleUntil(...times);
}

function attemptsToLeave(handover: HandoverRecord): AttemptRecord[] {
  const own = handover.status === "ended" && handover.attempt.phase === "leaving" ? [handover.attempt] : [];
  return [...handover.leaving, ...own];
}

async function leaveAttempt(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  attempt: AttemptRecord,
): Promise<StepResult> {
  const { context } = scope;
  const dueAtMs = attempt.end?.nextTryAtMs ?? 0;
  if (dueAtMs > context.clock.now()) return idleUntil(dueAtMs);
  if (!context.connections.has(attempt.connection)) return leaveBehind(scope, handover.id, attempt);
  const connection = context.connections.get(attempt.connection);
  const needsCall = (attempt.state ? connection.handle.end : connection.handle.findStarted) !== undefined;
  if (needsCall && !connection.gate.mayCall(scope.key)) return idle;
  if (!attempt.state) return findLeftover(scope, conversation, handover, attempt);
  const outcome = await tryEnd(scope, { conversation, handover, attempt, connection });
  if (outcome.kind === "later")
    return change(scope, handover.id, attempt.number, (draft, current) => replace(draft, { ...current, end: outcome.end }));
  return change(scope, handover.id, attempt.number, (draft, current) => {
    if (outcome.kind === "given-up") note(draft, "ticket-left-open", { code: outcome.code, connection: attempt.connection });
    replace(draft, { ...current, phase: "over" });
  });
}

/** The connection is no longer configured: nobody can end anything there. */
function leaveBehind(scope: LaneScope, handoverId: string, attempt: AttemptRecord): Promise<StepResult> {
  return change(scope, handoverId, attempt.number, (draft, current) => {
    note(draft, "ticket-left-open", { code: "CONNECTION_NOT_FOUND", connection: attempt.connection });
    replace(draft, { ...current, phase: "over" });
  });
}

/** A start without a clear outcome was given up: is there a ticket of it after all? */
async function findLeftover(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  attempt: AttemptRecord,
): Promise<StepResult> {
  const { context } = scope;
  const connection = context.connections.get(attempt.connection);
  const answer = await askForLeftover(scope, conversation, handover, attempt);
  if (typeof answer === "object") {
    const state = packState(connection.provider, answer.state);
    return change(scope, handover.id, attempt.number, (draft, current) => {
      note(draft, "surplus-ticket", { connection: attempt.connection });
      replace(draft, { ...current, state, references: [...new Set([...answer.references, ...current.references])] });
    });
  }
  const nowMs = context.clock.now();
  const isSure = answer === "absent" && nowMs >= (attempt.callUntilMs ?? 0);
  const isTooOld = nowMs >= attempt.sinceMs + context.timing.parkMs;
  if (isSure || isTooOld)
    return change(scope, handover.id, attempt.number, (draft, current) => replace(draft, { ...current, phase: "over" }));
  const calls = (attempt.end?.calls ?? 0) + 1;
  const nextTryAtMs = nowMs + Math.min(context.timing.retryMaximumMs, context.timing.retryFirstMs * 2 ** calls);
  const end = { calls, firstAtMs: attempt.end?.firstAtMs ?? nowMs, nextTryAtMs, isDone: false };
  return change(scope, handover.id, attempt.number, (draft, current) => replace(draft, { ...current, end }));
}

/** A vendor that cannot be asked has perhaps shown where it is: then `start` goes on from there, and makes nothing new. */
async function askForLeftover(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  attempt: AttemptRecord,
): Promise<Started | "absent" | "unknown"> {
  const { context } = scope;
  const connection = context.connections.get(attempt.connection);
  const { findStarted } = connection.handle;
  const signs = findStarted ? [] : await referencesInInbox(scope, handover);
  if (!findStarted && signs.length === 0) return "unknown";
  const transcript = await readTranscript(context.store, handover);
  const method = findStarted ? "findStarted" : "start";
  try {
    const references = [...new Set([...signs, ...attempt.references])];
    const request = toStartRequest(conversation, handover, { ...attempt, references }, connection, transcript);
    const idempotencyKey = startKey(handover, attempt);
    return await callVendor(context, { connection, method, idempotencyKey }, async (call, handle) => {
      const asked = withCheckpoint(call, () => Promise.resolve());
      return checkStarted((await (findStarted ? handle.findStarted?.(request, asked) : handle.start(request, asked))) ?? "unknown");
    });
  } catch {
    return "unknown";
  }
}

async function change(
  scope: LaneScope,
  handoverId: string,
  attemptNumber: number,
  apply: (draft: Draft, current: AttemptRecord) => void,
): Promise<StepResult> {
  await changeHandover(scope, handoverId, (draft) => {
    const current = [...draft.handover.leaving, draft.handover.attempt].find((attempt) => attempt.number === attemptNumber);
    if (!current) return undefined;
    apply(draft, current);
    return {};
  });
  return again;
}

function replace(draft: Draft, attempt: AttemptRecord): void {
  const { handover } = draft;
  if (handover.attempt.number === attempt.number) {
    draft.handover = { ...handover, attempt };
    return;
  }
  const others = handover.leaving.filter((candidate) => candidate.number !== attempt.number);
  draft.handover = { ...handover, leaving: attempt.phase === "over" ? others : [...others, attempt] };
}
