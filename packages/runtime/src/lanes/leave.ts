import { callVendor, withCheckpoint } from "../connections/call-vendor.ts";
import { packState, type Started } from "@handover/core";
import { note, type Draft } from "../handover/draft.ts";
import { readTranscript } from "../handover/desk-entries.ts";
import { markClosed, owesComparison } from "../handover/ending.ts";
import { toStartRequest } from "../handover/provider-view.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";
import { catchUp } from "./catch-up.ts";
import { changeHandover } from "./change-handover.ts";
import { checkStarted, referencesInInbox, startKey } from "./start-task.ts";
import { tryEnd } from "./end-task.ts";
import { lastCatchUpTries } from "./finish-task.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/** A ticket that nobody closes keeps an agent busy: it is tried for much longer than anybody waits for. */
const leavePatienceMs = 24 * 60 * 60 * 1000;

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
  const isClosed = attempt.end?.isDone === true;
  const method = isClosed ? "catchUp" : attempt.state ? "end" : "findStarted";
  if (connection.handle[method] !== undefined && !connection.gate.mayCall(scope.key, method, "end"))
    return idleUntil(context.clock.now() + context.timing.connectionRetryMs);
  if (!attempt.state) return findLeftover(scope, conversation, handover, attempt);
  if (isClosed) return compareAfterEnd(scope, conversation, handover);
  const outcome = await tryEnd(scope, { conversation, handover, attempt, connection, patienceMs: leavePatienceMs });
  if (outcome.kind === "later")
    return change(scope, handover.id, attempt.number, (draft, current) => replace(draft, { ...current, end: outcome.end }));
  return change(scope, handover.id, attempt.number, (draft, current) => {
    if (outcome.kind === "given-up") note(draft, "ticket-left-open", { code: outcome.code, connection: attempt.connection });
    if (draft.handover.attempt.number === current.number && owesComparison(draft.handover)) markClosed(draft);
    else replace(draft, { ...current, phase: "over" });
  });
}

/** The vendor could not be asked when the end was shown: what was said there before is learned, and shown late. */
async function compareAfterEnd(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const hasAsked = owesComparison(handover) && (await catchUp(scope, conversation, handover, "end"));
  return change(scope, handover.id, handover.attempt.number, (draft, current) => {
    const { catchUp: state, end } = current;
    const isOver = hasAsked || !owesComparison(draft.handover) || (state?.failures ?? 0) >= lastCatchUpTries;
    if (!isOver && end && state) return replace(draft, { ...current, end: { ...end, nextTryAtMs: state.dueAtMs } });
    const { ending } = draft.handover;
    draft.handover = { ...draft.handover, ...(ending ? { ending: { ...ending, hasCaughtUp: true } } : {}) };
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
  const askedAtMs = context.clock.now();
  const answer = await askForLeftover(scope, conversation, handover, attempt);
  if (typeof answer === "object") {
    const state = packState(connection.provider, answer.state);
    return change(scope, handover.id, attempt.number, (draft, current) => {
      // Its start may have come back meanwhile, and what the ticket said may have been learned since.
      if (current.state !== undefined) return;
      note(draft, "surplus-ticket", { connection: attempt.connection });
      replace(draft, { ...current, state, references: [...new Set([...answer.references, ...current.references])] });
    });
  }
  const nowMs = context.clock.now();
  const isSure = answer === "absent" && askedAtMs >= (attempt.callUntilMs ?? 0);
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
  const signs = findStarted ? [] : await referencesInInbox(scope, handover, attempt);
  if (!findStarted && signs.length === 0) return "unknown";
  const transcript = await readTranscript(context, handover);
  const method = findStarted ? "findStarted" : "start";
  try {
    const references = [...new Set([...signs, ...attempt.references])];
    const request = toStartRequest(conversation, handover, { ...attempt, references }, connection, transcript);
    const idempotencyKey = startKey(handover, attempt);
    return await callVendor(context, { connection, method, idempotencyKey, lease: scope.lease }, async (call, handle) => {
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
