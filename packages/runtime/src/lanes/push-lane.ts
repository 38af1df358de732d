import { HandoverError } from "@handover/core";
import { linksFor } from "../attachments/entry-links.ts";
import { transact } from "../conversation/transact.ts";
import { entryFor, type Entry, type StoredEntry } from "../entry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { ConversationRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode, errorSummary } from "../support/describe-error.ts";
import { inTime } from "../support/in-time.ts";
import { again, idle, idleUntil, type LaneScope, type LaneStep } from "./lane.ts";
import { reportUnseen } from "./report-unseen.ts";

/** What a push channel is given. */
export type EntryListener = (entry: Entry & ConversationAddress) => Promise<void>;

/** How long an entry may hold up the lane: a channel that is down is waited for much longer than one entry that it does not take. */
function patienceMs({ timing }: RuntimeContext, error: unknown): number {
  if (!HandoverError.isInstance(error) || error.effect !== "message") return timing.connectionRetryMs;
  return error.isRetryable ? timing.messageRetryMs : 0;
}

/** From the log to a push channel: every entry in order, again until the listener has taken it or the patience is over. */
export function createPushStep(listener: () => EntryListener | undefined): LaneStep {
  return async (scope) => {
    const { context, key } = scope;
    const push = listener();
    if (!push) return idle;
    const conversation = await context.store.readConversation(key);
    if (!conversation || conversation.pushedThrough >= conversation.lastSeq) return idle;
    const { retryAtMs = 0 } = context.pushTries.get(key, conversation.pushedThrough + 1) ?? {};
    if (retryAtMs > context.clock.now()) return idleUntil(retryAtMs);
    const [entry] = await context.store.readEntries(key, { after: conversation.pushedThrough, limit: 1 });
    if (!entry) return idle;
    const shown = entryFor(entry, "user", linksFor(context, conversation));
    const given = { ...shown, endpoint: conversation.endpoint, conversation: conversation.conversation };
    const refusal = shown.kind === "hidden" ? undefined : await tryPush(context, () => push(given));
    if (refusal) {
      const againAtMs = retryTime(scope, entry, refusal.error);
      if (againAtMs !== undefined) return idleUntil(againAtMs);
      await giveUp(scope, conversation, entry, refusal.error);
    } else {
      await pass(scope, entry);
      if (entry.handover !== undefined && entry.kind === "message") context.userReceipts.deliveredTo(key, entry.seq);
    }
    context.pushTries.forget(key);
    return again;
  };
}

/** When the entry is pushed again; never, where the patience is over. */
function retryTime({ context, key }: LaneScope, { seq }: StoredEntry, error: unknown): number | undefined {
  const nowMs = context.clock.now();
  const before = context.pushTries.get(key, seq);
  const firstFailedAtMs = before?.firstFailedAtMs ?? nowMs;
  const failures = (before?.failures ?? 0) + 1;
  const retryAtMs = nowMs + pauseAfter(failures, context.timing, context.random, error);
  if (!context.stopSignal.aborted && retryAtMs > firstFailedAtMs + patienceMs(context, error)) return undefined;
  context.pushTries.remember(key, { seq, failures, firstFailedAtMs, retryAtMs });
  context.logger.warn(`A push channel did not take an entry; it gets it again: ${errorSummary(error)}`, { seq, failures });
  return retryAtMs;
}

/** @returns why it was not taken; nothing when it was */
async function tryPush(context: RuntimeContext, push: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    const limitMs = context.timing.callTimeoutMs;
    await inTime(context, { limitMs, late: "The push channel did not answer." }, push);
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** The lane stands behind an entry. */
async function pass({ context, key, fence }: LaneScope, { seq }: StoredEntry, givenUpAs?: string): Promise<void> {
  const note = { atMs: context.clock.now(), what: "push-given-up", conversation: key, details: { seq, code: givenUpAs ?? "" } };
  await transact(context, { key, fence }, () => ({
    commit: { update: { pushedThrough: seq }, ...(givenUpAs === undefined ? {} : { journal: [note] }) },
    result: undefined,
  }));
}

/** The entry stays in the log for whoever reads there; if the desk wrote it, the desk is told that it was not shown. */
async function giveUp(scope: LaneScope, conversation: ConversationRecord, entry: StoredEntry, error: unknown): Promise<void> {
  const { context } = scope;
  const code = errorCode(error);
  context.logger.error(`A push channel did not take an entry and does not get it again: ${errorSummary(error)}`, { seq: entry.seq, code });
  await pass(scope, entry, code);
  const isAgents = entry.kind === "message" && entry.author?.role === "agent";
  const handover = isAgents && entry.handover ? await context.store.readHandover(entry.handover) : undefined;
  if (!handover) return;
  const reason = "It could not be delivered to the user's channel.";
  reportUnseen(context, conversation, handover, {
    connection: entry.source,
    vendorMessageId: entry.id,
    atMs: Date.parse(entry.at),
    reason,
  });
}
