import type { HandoverEvent } from "@handover/core";
import { readView, transact } from "./conversation/transact.ts";
import { endpointOf } from "./endpoints.ts";
import type { NewEntry } from "./entry.ts";
import { applyEvents } from "./handover/apply-events.ts";
import { toMessage } from "./handover/desk-entries.ts";
import { createDraft, draftCommit } from "./handover/draft.ts";
import { createEventLookups } from "./handover/event-lookups.ts";
import { fallBack } from "./handover/give-way.ts";
import { toProviderHandover } from "./handover/provider-view.ts";
import { redactEvents } from "./redaction/redact-events.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import { errorSummary } from "./support/describe-error.ts";
import type { ConversationRecord, HandoverRecord } from "./store/records.ts";

/**
 * Takes a text of the user's channel that is really an event of the desk: it is kept, hidden from everybody, and the event is
 * applied to the running handover or to the one that ended last.
 *
 * @returns the number of the entry, or nothing when the text is only a text
 */
export async function receiveRecognized(context: RuntimeContext, key: string, entry: NewEntry): Promise<number | undefined> {
  const recognized = await recognize(context, key, entry);
  if (!recognized) return undefined;
  const { event, handoverId } = recognized;
  const { committed } = await transact(context, { key }, async ({ conversation }) => {
    const handover = await context.store.readHandover(handoverId);
    if (!conversation || !handover) return { result: undefined };
    const draft = createDraft(handover, context.clock.now(), conversation.lastSeq + 1);
    const endpoint = endpointOf(context.endpoints, conversation.endpoint);
    const events = await redactEvents({ context, key, draft, refusedText: endpoint.texts.messageFailed }, [event]);
    await applyEvents(draft, events, {
      texts: endpoint.texts,
      showsSurveys: (endpoint.handover?.surveys ?? "vendor") === "vendor",
      windowMs: context.timing.reorderWindowMs,
      isLate: false,
      isOvertaken: false,
      fallBack: (code) => fallBack(context, draft, endpoint, { code, isClosed: true }),
      ...createEventLookups(context.store, draft),
    });
    return { result: undefined, commit: { ...draftCommit(draft), append: [{ ...entry, audience: [] }, ...draft.append] } };
  });
  return committed?.seqs[0];
}

async function recognize(
  context: RuntimeContext,
  key: string,
  entry: NewEntry,
): Promise<{ readonly event: HandoverEvent; readonly handoverId: string } | undefined> {
  const { conversation, handover: current } = await readView(context, key);
  const handover = current ?? (await readLast(context, conversation));
  if (!conversation || !handover?.attempt.state || !context.connections.has(handover.attempt.connection)) return undefined;
  const connection = context.connections.get(handover.attempt.connection);
  if (!connection.handle.recognizeUserMessage) return undefined;
  try {
    const view = toProviderHandover(conversation, handover, handover.attempt, connection);
    const event = connection.handle.recognizeUserMessage(view, toMessage({ ...entry, seq: 0 }));
    return event && { event, handoverId: handover.id };
  } catch (error) {
    // A provider that fails here must not keep a user from writing.
    context.logger.warn(`A user's text could not be read for events: ${errorSummary(error)}`, { connection: connection.name });
    return undefined;
  }
}

async function readLast(context: RuntimeContext, conversation: ConversationRecord | undefined): Promise<HandoverRecord | undefined> {
  return conversation?.lastHandover ? context.store.readHandover(conversation.lastHandover) : undefined;
}
