import { toConfigIssues, formatPath } from "@handover/core";
import type { BotAnswer } from "@handover/runtime";
import { z } from "zod";

const text = z.string().max(20_000);
const id = z.string().min(1).max(256);
const webUrl = z.url({ protocol: /^https?$/ }).max(2_048);

const choice = z.object({ id, title: z.string().min(1).max(256), payload: text.optional() });
const card = z.object({
  title: z.string().max(1_000).optional(),
  text: text.optional(),
  imageUrl: webUrl.optional(),
  url: webUrl.optional(),
  choices: z.array(choice).max(50).optional(),
});
const message = z.object({
  text: text.optional(),
  format: z.enum(["plain", "markdown"]).optional(),
  choices: z.array(choice).max(50).optional(),
  cards: z.array(card).max(50).optional(),
});
const answer = z.object({
  messages: z.array(message).max(50).optional(),
  handover: z.object({ options: z.record(z.string(), z.json()).optional(), summary: text.optional() }).optional(),
  endHandover: z.boolean().optional(),
});

/** What is wrong with an answer, without the answer's own words. */
export class AnswerInvalidError extends Error {}

/** Reads the answer of an HTTP bot. An empty body is an answer without anything in it. @throws AnswerInvalidError */
export function readBotAnswer(body: string): BotAnswer {
  if (body.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AnswerInvalidError("it is not JSON");
  }
  const result = answer.safeParse(value);
  if (!result.success) {
    const issues = toConfigIssues(result.error.issues, answer, value).slice(0, 5);
    throw new AnswerInvalidError(issues.map(({ path, message: words }) => `${formatPath(path)}: ${words}`).join("; "));
  }
  return withoutUndefined(result.data);
}

/** The schema's output types every absent key as `undefined`; JSON has none. */
function withoutUndefined(data: z.output<typeof answer>): BotAnswer {
  return JSON.parse(JSON.stringify(data)) as BotAnswer;
}
