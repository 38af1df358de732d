import { HandoverError, type Call, type Handover, type SurveyAnswers, type Translation } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import type { MessageFacts } from "./live-agent-facts.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import type { LiveAgentState } from "./live-agent-state.ts";
import type { PublicInbox } from "./live-agent-public.ts";

/** Answers are taken for 14 days. Section 3.7 of the reference page. */
const openForMs = 14 * 24 * 3_600_000;
const bestRating = 5;

/** The vendor's survey after a conversation: one to five, and a comment. */
export function offerSurvey(facts: MessageFacts): Translation<LiveAgentState> {
  const question = (facts.text ?? "").replace(/\s*https?:\/\/\S+\/survey\/responses\/\S+/g, "").trim();
  return {
    events: [
      {
        type: "survey-offered",
        survey: {
          id: facts.id,
          questions: [
            {
              id: "rating",
              text: question || "Please rate the conversation",
              type: "rating",
              minimum: 1,
              maximum: bestRating,
              isRequired: true,
            },
            { id: "feedback", text: "Please tell us more (optional)", type: "text" },
          ],
          ...(facts.atMs === undefined ? {} : { openUntilMs: facts.atMs + openForMs }),
        },
        ...(facts.atMs === undefined ? {} : { atMs: facts.atMs }),
      },
    ],
  };
}

/** Hands in the answers as the customer. */
export async function submitSurvey(
  inbox: PublicInbox,
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  { survey, answers }: SurveyAnswers,
  call: Call,
): Promise<void> {
  const rating = Number(answers["rating"]);
  if (!Number.isInteger(rating) || rating < 1 || rating > bestRating) {
    throw new HandoverError({ code: "SURVEY_ANSWER_INVALID", message: `The rating must be a whole number from 1 to ${bestRating}.` });
  }
  const feedback = answers["feedback"];
  const response = { rating, ...withoutEmpty({ feedback_message: feedback === undefined ? undefined : String(feedback) }) };
  const outcome = await inbox.submitValues(handover, survey, { csat_survey_response: response }, call);
  if (outcome === "done") return;
  throw new HandoverError(
    outcome === "closed"
      ? { code: "SURVEY_CLOSED", message: "Live Agent no longer takes answers to this survey." }
      : { code: "SURVEY_UNAVAILABLE", message: "Live Agent takes no answers: its public API is switched off, or the survey is gone." },
  );
}
