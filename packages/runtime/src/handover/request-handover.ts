import type { Json, User } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationView } from "../conversation/transact.ts";
import type { Endpoint } from "../endpoints.ts";
import type { Commit, HandoverRecord } from "../store/records.ts";
import { randomId } from "../support/system-random.ts";
import type { QueueOptions } from "../queue/queue-options.ts";
import { newAttempt } from "./attempts.ts";
import { createDraft, showStatus, type Draft } from "./draft.ts";

/** Why and with what a handover begins. */
export interface RequestDetails {
  readonly key: string;
  readonly endpoint: Endpoint & { readonly handover: NonNullable<Endpoint["handover"]> };
  /** Options by connection, checked. */
  readonly options: Readonly<Record<string, Json>>;
  readonly user?: User;
  readonly summary?: string;
  /** Over those of the endpoint, checked. */
  readonly queue?: QueueOptions;
  readonly repeatHandoverMessage?: boolean;
  /** User entries after this one go to the desk. */
  readonly takesAfter: number;
  /** The transcript begins after this `seq`. */
  readonly transcriptAfter: number;
  /** Number of the newest entry before the one that shows the request. */
  readonly lastSeq: number;
}

/** Where the transcript of the next handover begins: behind what the one before it took. */
export async function transcriptStart(context: RuntimeContext, view: ConversationView): Promise<number> {
  const last = view.conversation?.lastHandover ? await context.store.readHandover(view.conversation.lastHandover) : undefined;
  return last?.ended?.takesThrough ?? 0;
}

/** The conversation's part of a request. */
export function requestPatch(draft: Draft): NonNullable<Commit["update"]> {
  return { currentHandover: draft.handover.id, handoverCount: draft.handover.ordinal };
}

/** What the user is told while waiting. */
function whileWaiting({
  endpoint,
  queue,
  repeatHandoverMessage,
}: RequestDetails): Pick<HandoverRecord, "queueOptions" | "repeatsAccepted"> {
  const queueOptions = { ...endpoint.handover.queue, ...queue };
  return {
    ...(Object.keys(queueOptions).length === 0 ? {} : { queueOptions }),
    ...((repeatHandoverMessage ?? endpoint.handover.repeatHandoverMessage) ? { repeatsAccepted: true as const } : {}),
  };
}

/** A new handover with the entry that shows the request. The caller commits it with `expectLastSeq`. */
export function draftRequest(context: RuntimeContext, view: ConversationView, details: RequestDetails): Draft {
  const { endpoint } = details;
  const nowMs = context.clock.now();
  const first = endpoint.handover.connections[0] ?? "";
  const user = details.user ?? view.conversation?.user;
  const previous = view.conversation?.lastHandover;
  const { acceptTimeoutMs } = endpoint.handover;
  const handover: HandoverRecord = {
    id: randomId(context.random),
    conversation: details.key,
    ordinal: (view.conversation?.handoverCount ?? 0) + 1,
    status: "requested",
    shownStatus: "requested",
    createdAtMs: nowMs,
    requestedSeq: details.lastSeq + 1,
    transcriptAfter: details.transcriptAfter,
    takesAfter: details.takesAfter,
    connections: endpoint.handover.connections,
    options: details.options,
    ...(user ? { user } : {}),
    ...(details.summary === undefined ? {} : { summary: details.summary }),
    ...(acceptTimeoutMs === undefined ? {} : { acceptBeforeMs: nowMs + acceptTimeoutMs }),
    ...whileWaiting(details),
    attempt: newAttempt(context.connections, { number: 1, connection: first, nowMs, takesAfter: details.takesAfter }),
    leaving: [],
    agents: [],
    entryCount: 0,
    ...(previous ? { previous } : {}),
  };
  const draft = createDraft(handover, nowMs, details.lastSeq);
  showStatus(draft, "requested");
  return draft;
}
