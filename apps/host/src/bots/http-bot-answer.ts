import { toConfigIssues, formatPath } from "@handover/core";
import { whyNoTimer, type BotAnswer } from "@handover/runtime";
import { z } from "zod";
import { queueKeys } from "../configuration/waiting-schema.ts";

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
const file = z.object({
  name: z.string().min(1).max(1_000),
  type: z.string().max(255).optional(),
  sizeBytes: z.int().min(0).optional(),
  url: webUrl,
});
const message = z.object({
  text: text.optional(),
  attachments: z.array(file).max(20).optional(),
  format: z.enum(["plain", "markdown"]).optional(),
  choices: z.array(choice).max(50).optional(),
  cards: z.array(card).max(50).optional(),
  destination: z.enum(["user-and-agent", "user-only", "agent-only"]).optional(),
});
const answer = z.object({
  messages: z.array(message).max(50).optional(),
  handover: z
    .object({
      options: z.record(z.string(), z.json()).optional(),
      summary: text.optional(),
      queue: z.object(queueKeys).optional(),
      repeatHandoverMessage: z.boolean().optional(),
    })
    .optional(),
  endHandover: z.boolean().optional(),
  closeHandoverInProvider: z.boolean().optional(),
  inactivityTimer: z
    .object({ minutes: z.number().refine(isTimer, { error: (issue) => whyNoTimer(Number(issue.input)) ?? "" }) })
    .optional(),
});

function isTimer(minutes: number): boolean {
  return whyNoTimer(minutes) === undefined;
}

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
