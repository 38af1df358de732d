import type { BotAnswer, BotMessage } from "../bot.ts";
import { conversationAddress } from "../conversation/conversation-key.ts";
import type { StoredEntry } from "../entry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { redactForDesk, redactTexts, textsForDesk, type AboutText } from "./redact.ts";

/** A bot's answer as it may be stored. */
export interface RedactedAnswer {
  readonly answer: BotAnswer;
  /** What may go to a desk, by the place of its message in the answer. */
  readonly forDesk: readonly StoredEntry["forDesk"][];
}

/** Gives all texts of a bot's answer to the hooks. @throws RuntimeError `REDACTION_FAILED` */
export async function redactAnswer(context: RuntimeContext, key: string, answer: BotAnswer): Promise<RedactedAnswer> {
  if (!context.redact) return { answer, forDesk: [] };
  const about: AboutText = { kind: "message", author: "bot", ...conversationAddress(key) };
  const given: readonly (BotMessage | null)[] = Array.isArray(answer.messages) ? answer.messages : [];
  const messages = await Promise.all(given.map(async (message) => message && redactTexts(context, "beforeStore", message, about)));
  const forDesk = await Promise.all(messages.map(async (message) => (message ? textsForDesk(context, message, about) : undefined)));
  const summary = answer.handover?.summary;
  return {
    forDesk,
    answer: {
      ...answer,
      ...(Array.isArray(answer.messages) ? { messages: messages as readonly BotMessage[] } : {}),
      ...(typeof summary === "string"
        ? { handover: { ...answer.handover, summary: await redactForDesk(context, summary, { ...about, kind: "summary" }) } }
        : {}),
    },
  };
}
