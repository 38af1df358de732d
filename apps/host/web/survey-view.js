// @ts-check
// A survey as a form: plain fields with their own labels, so that keyboard and screen reader work as everywhere.
import { element, emit } from "./message-view.js";

/** @import { SurveyItem, SurveyQuestion } from "./chat-types.d.ts" */

/** More points than these are asked for by a number field: nobody chooses among a hundred buttons. */
const mostPoints = 11;

/** @param {SurveyItem} item */
export function toSurveyElement(item) {
  const box = element("article", "survey");
  box.dataset["seq"] = String(item.seq);
  if (item.state !== "open") {
    const words = item.state === "answered" ? "Thank you for your answers." : "This survey is closed.";
    box.append(element("p", "survey-done", words));
    return box;
  }
  box.append(toForm(item));
  return box;
}

/** @param {SurveyItem} item */
function toForm(item) {
  const form = element("form", "survey-form", element("p", "survey-title", item.text));
  form.setAttribute("aria-label", item.text);
  const problem = element("p", "survey-problem");
  problem.setAttribute("role", "alert");
  const button = element("button", "button", "Send answers");
  button.type = "submit";
  const questions = item.questions.map((question, index) => toQuestionElement(question, `survey-${String(item.seq)}-${String(index)}`));
  form.append(...questions, problem, button);
  form.onsubmit = (event) => {
    event.preventDefault();
    const answers = readAnswers(item.questions, form);
    if (Object.keys(answers).length === 0) return void (problem.textContent = "Please answer at least one question.");
    button.disabled = true;
    problem.textContent = "";
    const settle = (/** @type {string | undefined} */ words) => {
      button.disabled = false;
      problem.textContent = words ?? "";
    };
    emit(form, "survey-submit", { seq: item.seq, survey: item.survey, answers, settle });
  };
  return form;
}

/** @param {SurveyQuestion} question @param {string} name */
function toQuestionElement(question, name) {
  if (question.type === "text") return toTextQuestion(question, name);
  if (question.type === "rating" && !pointsOf(question)) return toNumberQuestion(question, name);
  const group = element("fieldset", `survey-question ${question.type}`, element("legend", "", legendOf(question)));
  const options = element("div", "survey-options");
  for (const { id, title } of optionsOf(question)) options.append(toRadio(question, name, id, title));
  group.append(options);
  return group;
}

/** @param {SurveyQuestion} question @param {string} name @param {string} value @param {string} title */
function toRadio(question, name, value, title) {
  const radio = element("input", "");
  radio.type = "radio";
  radio.name = name;
  radio.value = value;
  radio.required = question.isRequired === true;
  radio.dataset["question"] = question.id;
  return element("label", "survey-option", radio, element("span", "", title));
}

/** @param {SurveyQuestion} question @param {string} name */
function toTextQuestion(question, name) {
  const field = element("textarea", "");
  field.rows = 2;
  field.dir = "auto";
  field.name = name;
  field.required = question.isRequired === true;
  field.dataset["question"] = question.id;
  return element("label", "survey-question text", element("span", "", legendOf(question)), field);
}

/** @param {SurveyQuestion} question @param {string} name */
function toNumberQuestion(question, name) {
  const field = element("input", "");
  field.type = "number";
  field.step = "1";
  if (question.minimum !== undefined) field.min = String(question.minimum);
  if (question.maximum !== undefined) field.max = String(question.maximum);
  field.name = name;
  field.required = question.isRequired === true;
  field.dataset["question"] = question.id;
  return element("label", "survey-question text", element("span", "", legendOf(question)), field);
}

/** @param {SurveyQuestion} question */
const legendOf = ({ text, isRequired }) => (isRequired ? text : `${text} (optional)`);

/** @param {SurveyQuestion} question */
function pointsOf({ minimum, maximum }) {
  if (minimum === undefined || maximum === undefined) return undefined;
  const count = maximum - minimum + 1;
  return Number.isInteger(count) && count > 0 && count <= mostPoints ? count : undefined;
}

/** @param {SurveyQuestion} question */
function optionsOf(question) {
  if (question.type === "choice") return question.choices ?? [];
  return Array.from({ length: pointsOf(question) ?? 0 }, (_, index) => {
    const points = String((question.minimum ?? 0) + index);
    return { id: points, title: points };
  });
}

/** What was left empty is no answer. @param {readonly SurveyQuestion[]} questions @param {HTMLFormElement} form */
function readAnswers(questions, form) {
  /** @type {Record<string, string | number>} */
  const answers = {};
  for (const field of form.querySelectorAll("input, textarea")) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
    const isUnchosen = field instanceof HTMLInputElement && field.type === "radio" && !field.checked;
    const question = questions.find(({ id }) => id === field.dataset["question"]);
    const value = field.value.trim();
    if (!question || isUnchosen || value === "") continue;
    answers[question.id] = question.type === "rating" ? Number(value) : value;
  }
  return answers;
}
