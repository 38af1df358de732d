import { isDeepStrictEqual } from "node:util";
import { RuntimeError } from "../errors.ts";
import type { NewEntry, StoredEntry } from "../entry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { inTime } from "../support/in-time.ts";
import type { RedactedText, RedactionOptions } from "./redaction-options.ts";

/** What belongs to a text, as far as the runtime knows it before the hook is called. */
export type AboutText = Omit<RedactedText, "signal">;

/** The texts of a message. */
type Texts = Pick<NewEntry, "text" | "choices" | "cards">;

type Step = keyof RedactionOptions;

/** A text as the hook gives it back. @throws RuntimeError `REDACTION_FAILED` */
export async function redactText(context: RuntimeContext, step: Step, text: string, about: AboutText): Promise<string> {
  const hook = context.redact?.[step];
  if (!hook || text === "") return text;
  const limit = { limitMs: context.timing.callTimeoutMs, late: "The redaction did not answer in time." };
  let redacted: unknown;
  try {
    redacted = await inTime(context, limit, async (signal) => hook(text, { ...about, signal }));
  } catch {
    // What it threw may quote the text, so it is kept nowhere.
  }
  // Our own end says nothing about the text: whoever comes next asks again.
  if (redacted === undefined && context.stopSignal.aborted)
    throw new RuntimeError("NOT_RUNNING", "The runtime stops.", { isRetryable: true });
  const isRedacted = typeof redacted === "string";
  context.metrics.count("handover_redactions_total", { step, result: isRedacted ? "redacted" : "failed" });
  if (isRedacted) return redacted as string;
  throw new RuntimeError(
    "REDACTION_FAILED",
    `The hook redact.${step} threw, took too long or gave back no text, so the text was not taken. Try again, and look into the hook.`,
    { isRetryable: true },
  );
}

/** What goes to a desk: through both hooks, for what is stored for nobody else. @throws RuntimeError `REDACTION_FAILED` */
export async function redactForDesk(context: RuntimeContext, text: string, about: AboutText): Promise<string> {
  return redactText(context, "beforeDesk", await redactText(context, "beforeStore", text, about), about);
}

/** A message with its texts as the hook gives them back. What is no text is left to whoever checks it. */
export async function redactTexts<Content extends Texts>(
  context: RuntimeContext,
  step: Step,
  content: Content,
  about: AboutText,
): Promise<Content> {
  if (!context.redact?.[step]) return content;
  const redact = (text: unknown) => (typeof text === "string" ? redactText(context, step, text, about) : text);
  const [text, choices, cards] = await Promise.all([
    redact(content.text),
    redactEach(content.choices, ["title"], redact),
    redactEach(content.cards, ["title", "text"], redact, async (card) => {
      const ofCard = await redactEach(card.choices, ["title"], redact);
      return ofCard === undefined ? {} : { choices: ofCard };
    }),
  ]);
  return {
    ...content,
    ...(content.text === undefined ? {} : { text }),
    ...(content.choices === undefined ? {} : { choices }),
    ...(content.cards === undefined ? {} : { cards }),
  };
}

/** The named fields of each item of a list, where it is one. */
async function redactEach<Item extends object>(
  list: readonly Item[] | undefined,
  fields: readonly (keyof Item)[],
  redact: (text: unknown) => unknown,
  more: (item: Item) => Promise<object> = async () => ({}),
): Promise<readonly Item[] | undefined> {
  if (!Array.isArray(list)) return list;
  return Promise.all(
    list.map(async (item: Item | null) => {
      if (typeof item !== "object" || item === null) return item as never;
      const given = fields.filter((field) => item[field] !== undefined);
      const redacted = await Promise.all(given.map(async (field) => [field, await redact(item[field])] as const));
      return { ...item, ...Object.fromEntries(redacted), ...(await more(item)) };
    }),
  );
}

/** The texts of an entry, without anything else. */
export function textsOf({ text, choices, cards }: Texts): Texts {
  return { ...(text === undefined ? {} : { text }), ...(choices ? { choices } : {}), ...(cards ? { cards } : {}) };
}

/** What is to go to a desk in place of what is stored: only what differs, so an empty object when all may go there as it is. */
export async function textsForDesk(context: RuntimeContext, content: Texts, about: AboutText): Promise<StoredEntry["forDesk"]> {
  if (!context.redact?.beforeDesk) return undefined;
  const redacted = await redactTexts(context, "beforeDesk", textsOf(content), about);
  const differs = (name: string) => !isDeepStrictEqual(redacted[name as keyof Texts], content[name as keyof Texts]);
  return Object.fromEntries(Object.entries(redacted).filter(([name]) => differs(name)));
}

/** An entry of a user or a bot as it may be stored, with what may go to a desk of it. @throws RuntimeError `REDACTION_FAILED` */
export async function redactEntry(context: RuntimeContext, entry: NewEntry, about: AboutText): Promise<NewEntry> {
  if (!context.redact) return entry;
  const stored = await redactTexts(context, "beforeStore", entry, about);
  const forDesk = await textsForDesk(context, stored, about);
  return forDesk ? { ...stored, forDesk } : stored;
}
