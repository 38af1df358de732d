import {
  AuthenticationError,
  HandoverError,
  packState,
  UnavailableError,
  type Call,
  type Started,
  type StartProgress,
} from "@handover/core";
import { checkBeforeStart } from "../availability/check-before-start.ts";
import { isCallLate } from "../connections/call-deadline.ts";
import { callVendor, withCheckpoint } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { LeaseLostError } from "../conversation/transact.ts";
import { acceptedContent } from "../cancel/cancel-choice.ts";
import { endpointOf } from "../endpoints.ts";
import { changeAttempt, note, showStatus, type Draft } from "../handover/draft.ts";
import { readTranscript } from "../handover/desk-entries.ts";
import { isInDoubt } from "../handover/attempts.ts";
import { giveWay, type Failure } from "../handover/give-way.ts";
import { toStartRequest } from "../handover/provider-view.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode, errorSummary, isAnswered } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import { omit } from "../support/omit.ts";
import { livelyFactor } from "./catch-up.ts";
import { changeHandover } from "./change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";
import { belongsTo } from "./translate-task.ts";
import { soonOver } from "./send-scope.ts";

/** Starts the current attempt, or finds out what became of a start without a clear outcome. */
export async function startTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { context } = scope;
  const { attempt } = handover;
  const nowMs = context.clock.now();
  const wasInterrupted = attempt.phase === "starting" && attempt.callUntilMs !== undefined;
  if (wasInterrupted) return doubt(scope, handover, "START_INTERRUPTED", { sinceMs: nowMs, ...soonOver(context, attempt) });
  if (attempt.nextTryAtMs !== undefined && attempt.nextTryAtMs > nowMs) return idleUntil(attempt.nextTryAtMs);
  const connection = context.connections.get(attempt.connection);
  if (attempt.phase === "in-doubt") return resolveDoubt(scope, conversation, handover, connection);
  if (!mayStart(handover)) return idle;
  const nobody = await checkBeforeStart(context, conversation, handover, connection);
  if (nobody) return fail(scope, handover, nobody);
  const giveUpAtMs = attempt.sinceMs + context.timing.startTimeoutMs;
  if (!connection.gate.mayCall(scope.key, "start")) {
    return nowMs >= giveUpAtMs
      ? fail(scope, handover, { reason: "failed", actor: "system", code: attempt.lastErrorCode ?? "CONNECTION_PAUSED" })
      : idleUntil(giveUpAtMs);
  }
  if ((attempt.nextTryAtMs ?? 0) > giveUpAtMs) {
    return fail(scope, handover, { reason: "failed", actor: "system", code: attempt.lastErrorCode ?? "START_TIMED_OUT" });
  }
  return callStart(scope, conversation, handover, connection);
}

/** A handover that ends is not started any more, unless the vendor has it already: then it must be known to be ended. */
function mayStart({ status, attempt }: HandoverRecord): boolean {
  return attempt.phase === "starting" && (status !== "ending" || isInDoubt(attempt));
}

/** Changes the handover while it is still at the attempt that is being started: a timer may have given that up meanwhile. */
function changeStart(scope: LaneScope, { id, attempt }: HandoverRecord, change: Parameters<typeof changeHandover>[2]) {
  return changeHandover(scope, id, (draft, conversation) =>
    draft.handover.attempt.number === attempt.number ? change(draft, conversation) : undefined,
  );
}

async function callStart(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  connection: Connection,
): Promise<StepResult> {
  const { context } = scope;
  await scope.lease.hold(context.timing.callTimeoutMs);
  const callUntilMs = context.clock.now() + context.timing.callTimeoutMs;
  const begun = await changeStart(scope, handover, (draft) => {
    if (!mayStart(draft.handover)) return undefined;
    changeAttempt(draft, { startCalls: draft.handover.attempt.startCalls + 1, callUntilMs });
    return {};
  });
  if (begun?.attempt.callUntilMs !== callUntilMs) return again;
  let started: Started;
  try {
    started = await callStartMethod(scope, conversation, begun, connection, "start", async (call, request) =>
      checkStarted(await connection.handle.start(request, call)),
    );
  } catch (error) {
    await startFailed(scope, begun, error);
    return again;
  }
  // Outside: when our own store fails, the vendor has it all the same, and nothing may be started again.
  await commitStarted(scope, begun, connection, started);
  return again;
}

/** An answer without the parts that everything else builds on is no answer. */
export function checkStarted<Answer extends Started | "absent" | "unknown">(answer: Answer): Answer {
  const isUsable = typeof answer === "string" || (Array.isArray(answer.references) && answer.state !== undefined);
  if (isUsable) return answer;
  throw new TypeError("A started handover needs references and a state.");
}

async function callStartMethod<Result>(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  connection: Connection,
  method: "start" | "findStarted",
  run: (call: ReturnType<typeof withCheckpoint>, request: ReturnType<typeof toStartRequest>) => Promise<Result>,
): Promise<Result> {
  const { context } = scope;
  const { attempt } = handover;
  const transcript = await readTranscript(context, handover);
  const request = toStartRequest(conversation, handover, attempt, connection, transcript);
  const checkpoint = (progress: StartProgress) => saveProgress(scope, handover.id, attempt.number, progress).catch(checkpointFailed);
  return callVendor(
    context,
    {
      connection,
      method,
      idempotencyKey: startKey(handover, attempt),
      attempt: attempt.startCalls,
      lease: scope.lease,
      // A start is announced; looking for one changes nothing.
      ...(method === "start" && attempt.callUntilMs !== undefined ? { untilMs: attempt.callUntilMs } : {}),
    },
    (call: Call) => run(withCheckpoint(call, checkpoint), request),
  );
}

/** At most 36 characters: the handover's id and the number of the attempt. */
export function startKey(handover: HandoverRecord, attempt: AttemptRecord): string {
  return `${handover.id}-s${attempt.number}`;
}

async function saveProgress(scope: LaneScope, handoverId: string, attemptNumber: number, progress: StartProgress): Promise<void> {
  await changeHandover(scope, handoverId, (draft) => {
    const { attempt } = draft.handover;
    if (attempt.number !== attemptNumber) return undefined;
    const references = mergeReferences(progress.references ?? [], attempt.references);
    changeAttempt(draft, { references, ...(progress.state === undefined ? {} : { progress: progress.state }) });
    return { references: [{ accountKey: attempt.accountKey, handover: handoverId, references: progress.references ?? [] }] };
  });
}

/** The store's own error would say that nothing was done; of the vendor nobody knows. */
function checkpointFailed(cause: unknown): never {
  throw new HandoverError({
    code: "CHECKPOINT_FAILED",
    message: "The progress of a start could not be saved. Check the store.",
    isRetryable: true,
    outcome: "unknown",
    cause,
  });
}

function mergeReferences(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])];
}

async function commitStarted(scope: LaneScope, handover: HandoverRecord, connection: Connection, started: Started): Promise<void> {
  const { context } = scope;
  await changeStart(scope, handover, (draft, conversation) => {
    const { attempt, status } = draft.handover;
    // Who leaves an attempt that was given up may have found it first.
    if (attempt.phase === "started" || attempt.state !== undefined) return undefined;
    const isGivenUp = status === "ended" || attempt.phase === "leaving" || attempt.phase === "over";
    const references = mergeReferences(started.references, attempt.references);
    const hasCatchUp = connection.handle.catchUp !== undefined;
    const endpoint = endpointOf(context.endpoints, conversation.endpoint);
    draft.handover = {
      ...draft.handover,
      attempt: {
        ...omit(attempt, "callUntilMs", "doubtSinceMs", "nextTryAtMs", "progress"),
        phase: isGivenUp ? "leaving" : "started",
        references,
        state: packState(connection.provider, started.state),
        relay: started.relay,
        transcriptThrough: started.transcriptThrough,
        ...(hasCatchUp
          ? { catchUp: { dueAtMs: draft.nowMs + context.timing.catchUpIntervalMs / livelyFactor, failures: 0, by: context.bootId } }
          : {}),
        ...(started.relay === "none" && endpoint.handover ? { detachAtMs: draft.nowMs + endpoint.handover.detachedAfterMs } : {}),
      },
    };
    showStatus(draft, "queued", acceptedContent(endpoint.texts));
    note(draft, isGivenUp ? "surplus-ticket" : "started", { calls: attempt.startCalls });
    return { references: [{ accountKey: attempt.accountKey, handover: handover.id, references }] };
  });
}

async function startFailed(scope: LaneScope, handover: HandoverRecord, cause: unknown): Promise<void> {
  const { context } = scope;
  const error = cause instanceof HandoverError || HandoverError.isInstance(cause) ? cause : undefined;
  if (error?.outcome !== "not-applied") {
    await doubt(scope, handover, errorCode(cause), isAnswered(cause) ? { callUntilMs: context.clock.now() } : {});
    return;
  }
  await changeStart(scope, handover, (draft, conversation) => {
    const { attempt } = draft.handover;
    draft.handover = { ...draft.handover, attempt: { ...omit(attempt, "callUntilMs"), lastErrorCode: error.code } };
    note(draft, "start-failed", { code: error.code, call: attempt.startCalls });
    const nextTryAtMs = draft.nowMs + pauseAfter(attempt.startCalls, context.timing, context.random, error);
    const canRepeat = error.isRetryable && error.effect !== "handover" && !AuthenticationError.isInstance(error);
    // Whoever was stopped for so long that the call was not made has tried nothing yet.
    const sinceMs = isCallLate(error) ? draft.nowMs : attempt.sinceMs;
    if (canRepeat && nextTryAtMs <= sinceMs + context.timing.startTimeoutMs) {
      changeAttempt(draft, { nextTryAtMs, sinceMs });
      return {};
    }
    logStartFailure(scope, draft, error);
    giveWay(context, draft, endpointOf(context.endpoints, conversation.endpoint), toFailure(error));
    return {};
  });
}

function toFailure(error: HandoverError): Failure {
  return { reason: UnavailableError.isInstance(error) ? "unavailable" : "failed", actor: "system", code: error.code };
}

function logStartFailure(scope: LaneScope, draft: Draft, error: HandoverError): void {
  const fields = failureFields(scope.context, { handover: draft.handover.id, connection: draft.handover.attempt.connection }, { error });
  if (UnavailableError.isInstance(error)) scope.context.logger.info("Nobody could take a handover.", fields);
  else scope.context.logger.error(`A handover could not be started: ${errorSummary(error)}`, fields);
}

async function doubt(scope: LaneScope, handover: HandoverRecord, code: string, change: Partial<AttemptRecord> = {}): Promise<StepResult> {
  await changeStart(scope, handover, (draft) => {
    if (draft.handover.attempt.phase !== "starting") return undefined;
    changeAttempt(draft, { ...change, phase: "in-doubt", doubtSinceMs: draft.nowMs, lastErrorCode: code });
    note(draft, "start-in-doubt", { code });
    return {};
  });
  return again;
}

async function resolveDoubt(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  connection: Connection,
): Promise<StepResult> {
  const askedAtMs = scope.context.clock.now();
  const answer = await lookForStarted(scope, conversation, handover, connection);
  if (typeof answer === "object") {
    await commitStarted(scope, handover, connection, answer);
    return again;
  }
  const nowMs = scope.context.clock.now();
  const callUntilMs = handover.attempt.callUntilMs ?? askedAtMs;
  if (answer === "absent" && askedAtMs >= callUntilMs) return startAgain(scope, handover);
  if (answer === "unknown" || answer === "not-asked") {
    const signs = await referencesInInbox(scope, handover, handover.attempt);
    if (signs.length > 0) return startAgain(scope, handover, signs);
    // A vendor that cannot be asked now may still know: it is asked for as long as a start is tried.
    const { startDoubtMs, startTimeoutMs } = scope.context.timing;
    const patienceMs = answer === "unknown" ? startDoubtMs : Math.max(startDoubtMs, startTimeoutMs);
    const giveUpAtMs = Math.max(callUntilMs, (handover.attempt.doubtSinceMs ?? nowMs) + patienceMs);
    if (nowMs >= giveUpAtMs) return fail(scope, handover, { reason: "failed", actor: "system", code: "START_IN_DOUBT" });
  }
  return waitInDoubt(scope, handover, answer === "absent" ? callUntilMs : undefined);
}

async function lookForStarted(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  connection: Connection,
): Promise<Started | "absent" | "unknown" | "not-asked"> {
  if (!connection.handle.findStarted) return "unknown";
  if (!connection.gate.mayCall(scope.key, "findStarted")) return "not-asked";
  try {
    return await callStartMethod(scope, conversation, handover, connection, "findStarted", async (call, request) =>
      checkStarted((await connection.handle.findStarted?.(request, call)) ?? "unknown"),
    );
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    return HandoverError.isInstance(error) && !error.isRetryable ? "unknown" : "not-asked";
  }
}

/** What deliveries that carry a reference of an attempt say about where it is; those of a former attempt say nothing. */
export async function referencesInInbox(scope: LaneScope, handover: HandoverRecord, attempt: AttemptRecord): Promise<string[]> {
  const rows = await scope.context.store.readInbox(scope.key, 50);
  return [...new Set(rows.filter((row) => row.handover === handover.id && belongsTo(attempt, row)).flatMap((row) => row.references))];
}

/** The vendor surely has nothing yet, or has shown where it is (then it stays in doubt until that is known): `start` may go on. */
async function startAgain(scope: LaneScope, handover: HandoverRecord, signs: readonly string[] = []): Promise<StepResult> {
  await changeStart(scope, handover, (draft) => {
    const { attempt } = draft.handover;
    if (attempt.phase !== "in-doubt") return undefined;
    draft.handover = {
      ...draft.handover,
      attempt: {
        ...omit(attempt, "callUntilMs", ...(signs.length === 0 ? (["doubtSinceMs"] as const) : [])),
        phase: "starting",
        nextTryAtMs: draft.nowMs + pauseAfter(attempt.startCalls, scope.context.timing, scope.context.random),
        references: mergeReferences(signs, attempt.references),
      },
    };
    return {};
  });
  return again;
}

async function waitInDoubt(scope: LaneScope, handover: HandoverRecord, untilMs: number | undefined): Promise<StepResult> {
  const { context } = scope;
  const nextTryAtMs = untilMs ?? context.clock.now() + context.timing.retryFirstMs * 5;
  await changeStart(scope, handover, (draft) => {
    changeAttempt(draft, { nextTryAtMs });
    return {};
  });
  return idleUntil(nextTryAtMs);
}

function logFailure(context: RuntimeContext, { handover }: Draft, { reason, code }: Failure): void {
  const { logger } = context;
  const fields = failureFields(context, { handover: handover.id, connection: handover.attempt.connection }, { code });
  if (reason === "unavailable") return logger.info("Nobody could take a handover.", fields);
  const why = code === "START_IN_DOUBT" ? "nobody can say whether the vendor has it" : "its vendor did not take it in time";
  logger.error(`A handover could not be started: ${why}.`, fields);
}

async function fail(scope: LaneScope, handover: HandoverRecord, failure: Failure): Promise<StepResult> {
  const { context } = scope;
  await changeStart(scope, handover, (draft, conversation) => {
    const { phase } = draft.handover.attempt;
    if (phase !== "starting" && phase !== "in-doubt") return undefined;
    logFailure(context, draft, failure);
    giveWay(context, draft, endpointOf(context.endpoints, conversation.endpoint), failure);
    return {};
  });
  return again;
}
