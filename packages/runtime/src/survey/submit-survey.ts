import type { SurveyAnswers } from "@handover/core";
import { conversationKey } from "../conversation/conversation-key.ts";
import { transact, type ConversationView } from "../conversation/transact.ts";
import { requireEndpoint } from "../endpoints.ts";
import { RuntimeError } from "../errors.ts";
import { redactForDesk } from "../redaction/redact.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { HandoverRecord, SurveyRecord } from "../store/records.ts";
import { checkAnswers, isSameAnswer } from "./check-answers.ts";

/** What a client hands in. */
export type SurveyRequest = ConversationAddress & SurveyAnswers;

/** Surveys of so many handovers before the current one may still be open. */
const formerHandovers = 10;

/** Takes a survey's answers, once. They are on their way to the desk when this resolves. */
export async function submitSurvey(context: RuntimeContext, request: SurveyRequest): Promise<void> {
  requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  await transact(context, { key }, async (view) => {
    const found = await findSurvey(context, view, request.survey);
    if (!found) {
      throw new RuntimeError("SURVEY_NOT_FOUND", 'The conversation has no such survey. Take "survey.id" from the entry that offered it.');
    }
    const { handover, record } = found;
    const nowMs = context.clock.now();
    const answers = await redactAnswers(context, request, record, checkAnswers(record.survey, request.answers, context.limits));
    if (record.answers) {
      if (isSameAnswer(record.answers, answers)) return { result: undefined };
      throw new RuntimeError("SURVEY_ANSWERED", "The survey was answered already, with other answers. The first ones count.");
    }
    requireOpen(context, record, nowMs);
    const submission = { status: "pending" as const, calls: 0, firstAtMs: nowMs, nextTryAtMs: nowMs };
    return { result: undefined, commit: { handovers: [withSurvey(handover, { ...record, answers, submission })] } };
  });
}

/** What users write in their own words, as it may be stored and go to the desk. */
async function redactAnswers(
  context: RuntimeContext,
  { endpoint, conversation }: ConversationAddress,
  { survey }: SurveyRecord,
  answers: SurveyAnswers["answers"],
): Promise<SurveyAnswers["answers"]> {
  if (!context.redact) return answers;
  const free = new Set(survey.questions.filter(({ type }) => type === "text").map(({ id }) => id));
  const redacted = Object.entries(answers).map(async ([id, value]) => {
    if (typeof value !== "string" || !free.has(id)) return [id, value] as const;
    return [id, await redactForDesk(context, value, { kind: "survey-answer", author: "user", endpoint, conversation })] as const;
  });
  return Object.fromEntries(await Promise.all(redacted));
}

/** @throws RuntimeError `SURVEY_CLOSED` */
function requireOpen(context: RuntimeContext, { survey, connection }: SurveyRecord, nowMs: number): void {
  const canTake = context.connections.has(connection) && context.connections.get(connection).handle.submitSurvey !== undefined;
  if (canTake && (survey.openUntilMs === undefined || nowMs <= survey.openUntilMs)) return;
  throw new RuntimeError("SURVEY_CLOSED", "The survey takes no answers any more.");
}

async function findSurvey(
  context: RuntimeContext,
  { conversation, handover: current }: ConversationView,
  id: string,
): Promise<{ readonly handover: HandoverRecord; readonly record: SurveyRecord } | undefined> {
  let next = current?.id ?? conversation?.lastHandover;
  for (let count = 0; next !== undefined && count <= formerHandovers; count += 1) {
    const handover: HandoverRecord | undefined = current?.id === next ? current : await context.store.readHandover(next);
    const record = handover?.surveys?.find(({ survey }) => survey.id === id);
    if (handover && record) return { handover, record };
    next = handover?.previous;
  }
  return undefined;
}

/** The handover with one of its surveys changed. */
export function withSurvey(handover: HandoverRecord, record: SurveyRecord): HandoverRecord {
  const surveys = (handover.surveys ?? []).map((one) => (one.survey.id === record.survey.id ? record : one));
  return { ...handover, surveys };
}
