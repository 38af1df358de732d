import { HandoverError, type HandoverEvent, type MessageReceivedEvent } from "@handover/core";
import { conversationAddress } from "../conversation/conversation-key.ts";
import type { Draft } from "../handover/draft.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorCode } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import { omit } from "../support/omit.ts";
import { redactText, redactTexts, textsOf, type AboutText } from "./redact.ts";

/** Where the texts of a desk are redacted. */
export interface RedactedDesk {
  readonly context: RuntimeContext;
  /** Key of the conversation. */
  readonly key: string;
  readonly draft: Draft;
  /** Shown in the place of a message that the hook refused. */
  readonly refusedText: string;
}

/** What a desk said, as it may be stored. Of a message that the hook refuses both sides are told, and nothing of it stays. */
export async function redactEvents(desk: RedactedDesk, events: readonly HandoverEvent[]): Promise<readonly HandoverEvent[]> {
  if (!desk.context.redact?.beforeStore) return events;
  return Promise.all(events.map((event) => redactEvent(desk, event)));
}

async function redactEvent(desk: RedactedDesk, event: HandoverEvent): Promise<HandoverEvent> {
  const { context, key } = desk;
  const about: AboutText = { kind: "message", author: "agent", ...conversationAddress(key) };
  switch (event.type) {
    case "message-received":
      return redactMessage(desk, event, { ...about, author: event.message.author.role });
    case "message-changed": {
      const { text } = event;
      if (text === undefined) return event;
      // An edit that may not be kept still takes away what it replaces.
      return (
        (await ifTaken(
          () => redactText(context, "beforeStore", text, about),
          (redacted) => ({ ...event, text: redacted }),
        )) ?? omit(event, "text")
      );
    }
    case "desk-note": {
      const note = () => redactText(context, "beforeStore", event.text, { ...about, kind: "note", author: event.author.role });
      return (await ifTaken(note, (text) => ({ ...event, text }))) ?? { ...event, text: "" };
    }
    default:
      return event;
  }
}

async function redactMessage(desk: RedactedDesk, event: MessageReceivedEvent, about: AboutText): Promise<HandoverEvent> {
  const { context, key, draft } = desk;
  const { message } = event;
  const { connection } = draft.handover.attempt;
  // A repeat is not stored again: what the hook has given back stays.
  const known = await context.store.findEntry(key, connection, message.id);
  if (known) return { ...event, message: { ...omit(message, "text", "choices", "cards"), ...textsOf(known) } };
  const redacted = await ifTaken(
    () => redactTexts(context, "beforeStore", message, about),
    (texts) => ({ ...event, message: texts }),
  );
  if (redacted) return redacted;
  refuse(desk, event);
  const { id, author, sentAt } = message;
  return { ...event, message: { id, author, sentAt, text: desk.refusedText } };
}

function refuse({ context, draft }: RedactedDesk, { message }: MessageReceivedEvent): void {
  const code = "REDACTION_FAILED";
  const { connection } = draft.handover.attempt;
  const fields = failureFields(context, { handover: draft.handover.id, connection }, { code });
  context.logger.error("A message of the desk was not shown: the hook redact.beforeStore refused it.", fields);
  if (message.author.role !== "agent") return;
  const reason = `The message could not be shown (${code}).`;
  draft.unseen.push({ connection, vendorMessageId: message.id, atMs: Date.parse(message.sentAt), reason });
}

/** @returns nothing when the hook refuses the text */
async function ifTaken<Redacted, Result>(
  redact: () => Promise<Redacted>,
  take: (redacted: Redacted) => Result,
): Promise<Result | undefined> {
  try {
    return take(await redact());
  } catch (error) {
    if (HandoverError.isInstance(error) && errorCode(error) === "REDACTION_FAILED") return undefined;
    throw error;
  }
}
