import type { EndReason, Json, Message, User } from "@handover/core";
import { conversationKey } from "./conversation/conversation-key.ts";
import { transact, type ConversationView } from "./conversation/transact.ts";
import { waitForChange } from "./conversation/wait-for-change.ts";
import { mergeOptions, requireEndpoint, whyNoHandover, type Endpoint } from "./endpoints.ts";
import type { NewEntry } from "./entry.ts";
import { RuntimeError } from "./errors.ts";
import { createDraft, draftCommit } from "./handover/draft.ts";
import { beginEnding, requestedReason } from "./handover/ending.ts";
import { checkQueueOptions } from "./queue/check-queue-options.ts";
import type { QueueOptions } from "./queue/queue-options.ts";
import { changeRunning } from "./changes/change-running.ts";
import { draftRequest, requestPatch, transcriptStart } from "./handover/request-handover.ts";
import { redactEntry, redactForDesk } from "./redaction/redact.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConversationAddress } from "./runtime.ts";

/** What `requestHandover` is given. */
export type HandoverRequest = ConversationAddress & {
  readonly options?: Readonly<Record<string, Json>>;
  readonly transcript?: readonly Message[];
  readonly summary?: string;
  readonly user?: User;
  readonly queue?: QueueOptions;
  readonly repeatHandoverMessage?: boolean;
};

/** Asks for a person; one that is running is kept, one that is about to end is waited for. */
export async function requestHandover(context: RuntimeContext, request: HandoverRequest): Promise<{ readonly handover: string }> {
  requireEndpoint(context.endpoints, request.endpoint);
  const about = { endpoint: request.endpoint, conversation: request.conversation };
  const redacted = await redactRequest(context, request, about);
  const patience = new AbortController();
  const cancelTimer = context.clock.after(context.timing.callTimeoutMs, () => patience.abort());
  const stop = AbortSignal.any([patience.signal, context.stopSignal]);
  try {
    for (;;) {
      const change = context.changes.next(conversationKey(request));
      try {
        const handover = await tryRequest(context, redacted);
        if (handover !== undefined) return { handover };
        if (stop.aborted) throw stillEnding();
        await waitForChange(context, change.promise, stop);
      } finally {
        change.cancel();
      }
    }
  } finally {
    cancelTimer();
  }
}

function stillEnding(): RuntimeError {
  return new RuntimeError(
    "HANDOVER_ENDING",
    "The handover before this one is still being ended at its contact centre. Try again in a moment.",
    {
      isRetryable: true,
    },
  );
}

function cannotRequest({ token, handover }: Endpoint): RuntimeError {
  if (!handover) {
    const message = `The endpoint "${token}" has no people behind it. Give it "handover" with a connection in the configuration.`;
    return new RuntimeError("HANDOVER_NOT_CONFIGURED", message);
  }
  return new RuntimeError(
    "CHANNEL_UNSUPPORTED",
    `The channel of the endpoint "${token}" takes words only as the answer to what the user has just said, so nothing that a person writes could reach the user. Ask for people on a channel that can be told something at any time.`,
  );
}

/** A request whose texts may be stored, with the transcript as entries. */
type RedactedRequest = Omit<HandoverRequest, "transcript"> & { readonly history: readonly NewEntry[] };

async function redactRequest(context: RuntimeContext, request: HandoverRequest, about: ConversationAddress): Promise<RedactedRequest> {
  const { transcript = [], summary, ...others } = request;
  const history = toHistory(transcript).map((entry) =>
    redactEntry(context, entry, { kind: "message", author: entry.author?.role ?? "system", ...about }),
  );
  return {
    ...others,
    history: await Promise.all(history),
    ...(summary === undefined ? {} : { summary: await redactForDesk(context, summary, { kind: "summary", author: "bot", ...about }) }),
  };
}

/** @returns the handover, or nothing while the one before is ending */
async function tryRequest(context: RuntimeContext, request: RedactedRequest): Promise<string | undefined> {
  const endpoint = requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  const { handover: people } = endpoint;
  if (!people || whyNoHandover(endpoint)) throw cannotRequest(endpoint);
  const options = mergeOptions(endpoint, context.connections, request.options ? [request.options] : []);
  checkQueueOptions(request.queue);
  const { result } = await transact(context, { key }, async (view) => {
    if (view.handover?.status === "ending") return { result: undefined };
    if (view.handover) return changeRunning(context, endpoint, view, request);
    const { history } = request;
    requireNoEntries(view, history);
    const lastSeq = view.conversation?.lastSeq ?? 0;
    const transcriptAfter = await transcriptStart(context, view);
    const draft = draftRequest(context, view, {
      key,
      endpoint: { ...endpoint, handover: people },
      options,
      ...(request.summary === undefined ? {} : { summary: request.summary }),
      ...(request.user ? { user: request.user } : {}),
      ...(request.queue ? { queue: request.queue } : {}),
      ...(request.repeatHandoverMessage === undefined ? {} : { repeatHandoverMessage: request.repeatHandoverMessage }),
      takesAfter: history.length > 0 ? history.length : takesAfter(view, endpoint, lastSeq, transcriptAfter),
      transcriptAfter,
      lastSeq: lastSeq + history.length,
    });
    return {
      result: draft.handover.id,
      commit: {
        ...draftCommit(draft),
        create: { endpoint: request.endpoint, conversation: request.conversation },
        append: [...history, ...draft.append],
        expectLastSeq: lastSeq,
        update: { ...requestPatch(draft), ...(request.user ? { user: request.user } : {}) },
      },
    };
  });
  return result;
}

/**
 * User entries after this one go to the desk: what the bot has not answered yet, or, where the bot lives outside, what comes
 * from now on.
 */
function takesAfter(view: ConversationView, endpoint: Endpoint, lastSeq: number, transcriptAfter: number): number {
  if (!endpoint.bot) return lastSeq;
  return Math.max(view.conversation?.botThrough ?? 0, transcriptAfter);
}

function requireNoEntries(view: ConversationView, history: readonly NewEntry[]): void {
  if (history.length === 0 || (view.conversation?.lastSeq ?? 0) === 0) return;
  throw new RuntimeError(
    "INVALID_MESSAGE",
    "A transcript can be given only for a conversation that has no entries yet: this one has its own.",
  );
}

/** What was said before this log began becomes its first entries. */
function toHistory(transcript: readonly Message[]): NewEntry[] {
  // The log would take a repeated id once, and every number after it would be off.
  const byId = new Map<string, Message>();
  for (const message of transcript) if (!byId.has(message.id)) byId.set(message.id, message);
  return [...byId.values()].map((message): NewEntry => {
    const { id, author, sentAt, ...content } = message;
    return { ...content, id, author, at: sentAt, source: "transcript", kind: "message", audience: ["user", "bot", "desk"] };
  });
}

/** Ends the handover that runs. */
export async function endHandover(
  context: RuntimeContext,
  request: ConversationAddress & {
    readonly reason?: EndReason;
    readonly actor?: "user" | "bot" | "system";
    readonly closeHandoverInProvider?: boolean;
  },
): Promise<{ readonly handover: string }> {
  requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  const { result } = await transact(context, { key }, ({ conversation, handover }) => {
    if (!conversation || !handover) throw new RuntimeError("NO_HANDOVER", "No handover is running in this conversation.");
    if (handover.status === "ending") return { result: handover.id };
    const draft = createDraft(handover, context.clock.now(), conversation.lastSeq);
    beginEnding(draft, {
      reason: request.reason ?? requestedReason(handover),
      actor: request.actor ?? "user",
      closedBy: "us",
      windowMs: 0,
      leavesDeskOpen: request.closeHandoverInProvider === false,
    });
    return { result: handover.id, commit: draftCommit(draft) };
  });
  return { handover: result };
}
