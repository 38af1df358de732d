import { parseConfig, unpackState, type Handover, type HandoverStatus, type StartRequest } from "@handover/core";
import type { Connection } from "../connections/connection-registry.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";

/**
 * A handover as its provider sees it.
 * @throws StateIncompatibleError when the stored state is another provider's or a newer version's
 */
export function toProviderHandover(
  conversation: ConversationRecord,
  handover: HandoverRecord,
  attempt: AttemptRecord,
  connection: Connection,
): Handover {
  return {
    id: handover.id,
    ordinal: handover.ordinal,
    conversation: conversation.conversation,
    endpoint: conversation.endpoint,
    ...(handover.user ? { user: handover.user } : {}),
    options: optionsOf(handover, connection),
    status: visibleStatus(handover),
    references: attempt.references,
    state: attempt.state ? unpackState(connection.provider, attempt.state) : undefined,
  };
}

/** The options of this handover at a connection, as the provider's schema reads them. */
function optionsOf(handover: HandoverRecord, connection: Connection): unknown {
  return parseConfig(connection.provider.options, handover.options[connection.name] ?? {}, `The options for "${connection.name}"`);
}

/** What a provider is asked to start. */
export function toStartRequest(
  conversation: ConversationRecord,
  handover: HandoverRecord,
  attempt: AttemptRecord,
  connection: Connection,
  transcript: StartRequest["transcript"],
): StartRequest {
  const hasProgress = attempt.references.length > 0 || attempt.progress !== undefined;
  return {
    handoverId: handover.id,
    ordinal: handover.ordinal,
    attempt: attempt.number,
    conversation: conversation.conversation,
    endpoint: conversation.endpoint,
    ...(handover.user ? { user: handover.user } : {}),
    options: optionsOf(handover, connection),
    transcript,
    ...(handover.summary === undefined ? {} : { summary: handover.summary }),
    ...(hasProgress
      ? { resume: { references: attempt.references, ...(attempt.progress === undefined ? {} : { state: attempt.progress }) } }
      : {}),
  };
}

function visibleStatus(handover: HandoverRecord): HandoverStatus {
  return handover.status === "ending" ? handover.shownStatus : handover.status;
}
