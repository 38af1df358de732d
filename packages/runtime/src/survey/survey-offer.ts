import type { Survey } from "@handover/core";
import { note, showNotice, type Draft } from "../handover/draft.ts";

/** No desk asks its customers more often than that. */
const maximumSurveys = 20;

/** Shows a survey, once, and remembers it so that the answers find their way. */
export function applySurveyOffer(draft: Draft, survey: Survey, { showsSurveys = true }: { readonly showsSurveys?: boolean }): void {
  const known = draft.handover.surveys ?? [];
  if (!showsSurveys) return note(draft, "survey-not-shown");
  if (known.some((one) => one.survey.id === survey.id) || known.length >= maximumSurveys) return note(draft, "survey-repeated");
  showNotice(draft, "survey-offered", { survey });
  const { id, entryCount, attempt } = draft.handover;
  const record = { survey, attempt: attempt.number, connection: attempt.connection, entry: `${id}:${entryCount}` };
  draft.handover = { ...draft.handover, surveys: [...known, record] };
}
