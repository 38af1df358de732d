import { createHmac } from "node:crypto";
import { HandoverError } from "@handover/core";
import type { Bot, BotTurn } from "@handover/runtime";
import { request, type Dispatcher } from "undici";
import type { HttpBotConfiguration } from "../configuration/configuration-schema.ts";
import { AnswerInvalidError, readBotAnswer } from "./http-bot-answer.ts";

const answerWithinMs = 10_000;
const largestAnswerBytes = 262_144;

export interface HttpBotOptions {
  readonly dispatcher?: Dispatcher;
  /** Unix milliseconds, for the signature. */
  readonly now?: () => number;
  readonly answerWithinMs?: number;
}

/** A bot behind a URL. Each turn is one signed POST; the runtime repeats a turn that failed. */
export function createHttpBot(configuration: HttpBotConfiguration, options: HttpBotOptions = {}): Bot {
  const now = options.now ?? Date.now;
  return {
    ...(configuration.name === undefined ? {} : { name: configuration.name }),
    ...(configuration.events === undefined ? {} : { events: configuration.events }),
    async answer(turn, call) {
      const body = JSON.stringify(toRequestBody(turn));
      const timeout = AbortSignal.timeout(options.answerWithinMs ?? answerWithinMs);
      const response = await post(configuration.url, {
        body,
        signature: signBody(body, configuration.secret, now()),
        signal: AbortSignal.any([call.signal, timeout]),
        ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
      });
      return readAnswer(response);
    },
  };
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of t + "." + body>` */
export function signBody(body: string, secret: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

function toRequestBody({ id, endpoint, conversation, user, message, event }: BotTurn): object {
  return { id, endpoint, conversation, user, message, event };
}

interface BotResponse {
  readonly status: number;
  readonly text: string;
}

async function post(
  url: string,
  call: { readonly body: string; readonly signature: string; readonly signal: AbortSignal; readonly dispatcher?: Dispatcher },
): Promise<BotResponse> {
  try {
    const response = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-handover-signature": call.signature },
      body: call.body,
      signal: call.signal,
      ...(call.dispatcher ? { dispatcher: call.dispatcher } : {}),
    });
    return { status: response.statusCode, text: await readLimited(response.body) };
  } catch (error) {
    if (HandoverError.isInstance(error)) throw error;
    throw call.signal.aborted
      ? botError("BOT_TIMEOUT", "did not answer in time", error)
      : botError("BOT_UNREACHABLE", "cannot be reached", error);
  }
}

async function readLimited(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestAnswerBytes) {
      body.destroy();
      throw botError("BOT_ANSWER_TOO_LARGE", `answered with more than ${largestAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readAnswer({ status, text }: BotResponse) {
  if (status < 200 || status >= 300) throw botError("BOT_REFUSED", `answered with status ${status}`);
  try {
    return readBotAnswer(text);
  } catch (error) {
    if (error instanceof AnswerInvalidError)
      throw botError("BOT_ANSWER_INVALID", `gave an answer that cannot be read: ${error.message}`, error);
    throw error;
  }
}

function botError(code: string, what: string, cause?: unknown): HandoverError {
  return new HandoverError({ code, message: `The HTTP bot ${what}. Look at the bot's own log.`, isRetryable: true, cause });
}
