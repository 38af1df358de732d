import { HandoverError } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import { LeaseLostError } from "../conversation/transact.ts";
import { note } from "../handover/draft.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord, SurveyRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode, errorSummary } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import { withSurvey } from "./submit-survey.ts";

/** Answers that wait to be handed in. */
type PendingSurvey = SurveyRecord & Required<Pick<SurveyRecord, "answers" | "submission">>;

/** Brings answers of surveys to the desk, also after the end of their handover, again and again until it has taken them. */
export async function surveyStep(scope: LaneScope): Promise<StepResult> {
  const { context, key } = scope;
  const conversation = await context.store.readConversation(key);
  if (!conversation) return idle;
  const times: (number | undefined)[] = [];
  for (const handover of await context.store.readOpenHandovers(key)) {
    for (const record of (handover.surveys ?? []).filter(isPending)) {
      const result = await submitOne(scope, conversation, handover, record);
      if (result.again) return result;
      times.push(result.wakeAtMs);
    }
  }
  return idleUntil(...times);
}

function isPending(record: SurveyRecord): record is PendingSurvey {
  return record.submission?.status === "pending" && record.answers !== undefined;
}

async function submitOne(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  record: PendingSurvey,
): Promise<StepResult> {
  const { context } = scope;
  const { submission } = record;
  if (submission.nextTryAtMs > context.clock.now()) return idleUntil(submission.nextTryAtMs);
  const attempt = attemptOf(handover, record);
  if (!attempt?.state || !context.connections.has(record.connection)) return settle(scope, handover, record, "CONNECTION_NOT_FOUND");
  const connection = context.connections.get(record.connection);
  if (!connection.handle.submitSurvey) return settle(scope, handover, record, "UNSUPPORTED");
  if (!connection.gate.mayCall(scope.key, "submitSurvey")) {
    const giveUpAtMs = submission.firstAtMs + context.timing.connectionRetryMs;
    return context.clock.now() >= giveUpAtMs ? settle(scope, handover, record, "CONNECTION_PAUSED") : idleUntil(giveUpAtMs);
  }
  const position = handover.surveys?.findIndex(({ survey }) => survey.id === record.survey.id) ?? 0;
  try {
    const view = toProviderHandover(conversation, handover, attempt, connection);
    const answers = { survey: record.survey.id, answers: record.answers };
    await callVendor(
      context,
      {
        connection,
        method: "submitSurvey",
        idempotencyKey: `${handover.id}-s${position}`,
        attempt: submission.calls + 1,
        lease: scope.lease,
        // Surveys may be taken by another server than messages: when that is down, the desk need not be.
        isBeside: true,
      },
      async (call, handle) => handle.submitSurvey?.(view, answers, call),
    );
    return await settle(scope, handover, record);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    return submitFailed(scope, handover, record, error);
  }
}

/** The one whose desk offered the survey. */
function attemptOf({ attempt, leaving }: HandoverRecord, { attempt: number }: SurveyRecord): AttemptRecord | undefined {
  return [attempt, ...leaving].find((one) => one.number === number);
}

/** The key of the call stays the same, so that a desk that has them already can tell. */
async function submitFailed(scope: LaneScope, handover: HandoverRecord, record: PendingSurvey, error: unknown): Promise<StepResult> {
  const { context } = scope;
  const calls = record.submission.calls + 1;
  const nextTryAtMs = context.clock.now() + pauseAfter(calls, context.timing, context.random, error);
  const known = HandoverError.isInstance(error) ? error : undefined;
  const canRepeat = known?.effect !== "handover" && (known?.isRetryable !== false || known.effect === "connection");
  if (!canRepeat || nextTryAtMs > record.submission.firstAtMs + context.timing.connectionRetryMs) {
    context.logger.error(
      `The answers of a survey could not be handed in: ${errorSummary(error)}`,
      failureFields(context, { handover: handover.id, connection: record.connection }, { error }),
    );
    return settle(scope, handover, record, errorCode(error));
  }
  await changeSurvey(scope, handover, record, { ...record.submission, calls, nextTryAtMs });
  return idleUntil(nextTryAtMs);
}

/** @param failure absent: the desk has taken the answers */
async function settle(scope: LaneScope, handover: HandoverRecord, record: PendingSurvey, failure?: string): Promise<StepResult> {
  const { context, key } = scope;
  const calls = record.submission.calls + 1;
  const entry = await context.store.findEntry(key, "runtime", record.entry);
  const status = failure === undefined ? "taken" : "given-up";
  await changeSurvey(scope, handover, record, { ...record.submission, calls, status }, { failure, ...(entry ? { seq: entry.seq } : {}) });
  return again;
}

/** The entry that showed the survey says what became of the answers. */
async function changeSurvey(
  scope: LaneScope,
  handover: HandoverRecord,
  record: PendingSurvey,
  submission: PendingSurvey["submission"],
  settled?: { readonly seq?: number; readonly failure: string | undefined },
): Promise<void> {
  await changeHandover(scope, handover.id, (draft) => {
    const current = draft.handover.surveys?.find(({ survey }) => survey.id === record.survey.id);
    if (!current || !isPending(current)) return undefined;
    draft.handover = withSurvey(draft.handover, { ...current, submission });
    if (settled?.seq !== undefined)
      draft.amend.push({ seq: settled.seq, delivery: settled.failure === undefined ? "delivered" : "failed" });
    if (settled?.failure !== undefined) note(draft, "survey-given-up", { code: settled.failure });
    return {};
  });
}
