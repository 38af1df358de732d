import type { Survey, SurveyAnswers, SurveyQuestion } from "@handover/core";
import { RuntimeError } from "../errors.ts";

type Answers = SurveyAnswers["answers"];

/**
 * Checks answers against the questions. Empty texts count as no answer and are left out.
 * @throws RuntimeError `INVALID_SURVEY` that names the questions, never the answers
 */
export function checkAnswers(survey: Survey, given: Answers, limits: { readonly messageCharacters: number }): Answers {
  const answers = Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value !== "string" || value.trim() !== ""));
  const questions = new Map(survey.questions.map((question) => [question.id, question]));
  const problems = Object.entries(answers).flatMap(([id, value]) => {
    const question = questions.get(id);
    // What the client calls it is the client's text, and stays out of the error.
    if (!question) return ["an answer is to no question of this survey"];
    const problem = problemOf(question, value, limits.messageCharacters);
    return problem === undefined ? [] : [`${JSON.stringify(id)} ${problem}`];
  });
  for (const { id, isRequired } of survey.questions) {
    if (isRequired && !Object.hasOwn(answers, id)) problems.push(`${JSON.stringify(id)} needs an answer`);
  }
  if (problems.length === 0 && Object.keys(answers).length === 0 && survey.questions.length > 0) problems.push("no question has an answer");
  if (problems.length === 0) return answers;
  throw new RuntimeError("INVALID_SURVEY", `The answers do not fit the survey: ${problems.slice(0, 10).join("; ")}.`);
}

function problemOf(question: SurveyQuestion, value: string | number, characters: number): string | undefined {
  switch (question.type) {
    case "rating":
      return isInRange(question, value) ? undefined : `wants ${rangeWords(question)}`;
    case "choice":
      return question.choices?.some(({ id }) => id === value) ? undefined : "wants the id of one of its choices";
    case "text":
      if (typeof value !== "string") return "wants a text";
      return Array.from(value).length <= characters ? undefined : `wants at most ${characters} characters`;
  }
}

function isInRange({ minimum = -Infinity, maximum = Infinity }: SurveyQuestion, value: string | number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum;
}

function rangeWords({ minimum, maximum }: SurveyQuestion): string {
  const from = minimum === undefined ? "" : ` from ${minimum}`;
  return `a whole number${from}${maximum === undefined ? "" : ` to ${maximum}`}`;
}

/** True when both say the same of every question. */
export function isSameAnswer(left: Answers, right: Answers): boolean {
  const ids = Object.keys(left);
  return ids.length === Object.keys(right).length && ids.every((id) => Object.hasOwn(right, id) && left[id] === right[id]);
}
