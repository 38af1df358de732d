import type { LiveAgentContext } from "./live-agent-context.ts";
import { unprocessable } from "./live-agent-errors.ts";
import type { Conversation, JsonObject, Message } from "./live-agent-state.ts";
import { isObject, toId, toText } from "./live-agent-values.ts";

const lockedAfterMs = 14 * 86_400_000;

export function findSurvey(conversation: Conversation): Message | undefined {
  return conversation.messages.findLast((message) => message.contentType === "input_csat");
}

/** The text with the address where a customer without a widget rates. */
export function surveyText(context: LiveAgentContext, conversation: Conversation): string {
  return `Please rate this conversation, ${context.origin}/survey/responses/${conversation.uuid}`;
}

export interface SurveyAnswer {
  readonly rating: number;
  readonly feedback?: string;
}

export function readSurveyAnswer(message: Message): SurveyAnswer | undefined {
  const submitted: unknown = message.contentAttributes["submitted_values"];
  const response: unknown = isObject(submitted) ? submitted["csat_survey_response"] : undefined;
  if (!isObject(response)) return undefined;
  const feedback = toText(response["feedback_message"]);
  return { rating: toId(response["rating"]) ?? 0, ...(feedback ? { feedback } : {}) };
}

/** What the customer filled in. A survey takes answers for 14 days and ratings from 1 to 5. Throws the vendor's 422. */
export function checkSubmission(context: LiveAgentContext, message: Message, values: unknown): JsonObject {
  if (message.contentType !== "input_csat") return { submitted_values: values };
  if (context.clock.now() - message.createdAtMs > lockedAfterMs) {
    throw unprocessable("You cannot update the CSAT survey after 14 days");
  }
  const response: unknown = isObject(values) ? values["csat_survey_response"] : undefined;
  const rating = isObject(response) ? toId(response["rating"]) : undefined;
  if (rating === undefined || rating < 1 || rating > 5) throw unprocessable("Validation failed: Rating is not included in the list");
  return { submitted_values: values };
}
