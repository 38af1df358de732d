import type { FastifyInstance, FastifyReply } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { checkSubmission, findSurvey, readSurveyAnswer } from "../live-agent-csat.ts";
import { railsNotFound } from "../live-agent-errors.ts";
import { changeMessage } from "../live-agent-messages.ts";
import type { Message } from "../live-agent-state.ts";
import { isObject, toId, toText } from "../live-agent-values.ts";
import { answer } from "./api-call.ts";

const ratings = [1, 2, 3, 4, 5];

/** The page that a survey's address leads to: whoever knows it may rate. */
export function addSurveyRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const url = "/survey/responses/:uuid";
  server.get(url, (request, reply) => sendPage(reply, findByUuid(context, request.params)));
  server.post(url, (request, reply) => {
    const survey = findByUuid(context, request.params);
    const body = isObject(request.body) ? request.body : {};
    const response = { rating: toId(body["rating"]), feedback_message: toText(body["feedback"]) ?? "" };
    const values = checkSubmission(context, survey, { csat_survey_response: response });
    return answer(context, reply, () => {
      changeMessage(context, survey, { contentAttributes: values });
      return { message: "Thank you for your rating" };
    });
  });
}

function findByUuid({ state }: LiveAgentContext, params: unknown): Message {
  const { uuid } = params as { uuid?: string };
  const conversation = [...state.conversations.values()].find((candidate) => candidate.uuid === uuid);
  const survey = conversation && findSurvey(conversation);
  if (!survey) throw railsNotFound();
  return survey;
}

/** Nothing of what people wrote is on it. */
function sendPage(reply: FastifyReply, survey: Message): FastifyReply {
  const given = readSurveyAnswer(survey)?.rating;
  const choices = ratings
    .map(
      (rating) =>
        `<label><input type="radio" name="rating" value="${rating}" required${rating === given ? " checked" : ""}> ${rating}</label>`,
    )
    .join("\n");
  const form = `<form method="post">\n${choices}\n<p><label>Feedback <input name="feedback" maxlength="1000"></label></p>\n<button>Send</button>\n</form>`;
  const page = `<!DOCTYPE html>\n<html lang="en"><head><title>Survey</title></head><body><h1>Please rate this conversation</h1>\n${form}\n</body></html>\n`;
  return reply
    .type("text/html; charset=utf-8")
    .header("content-security-policy", "default-src 'none'; form-action 'self'")
    .header("referrer-policy", "no-referrer")
    .send(page);
}
