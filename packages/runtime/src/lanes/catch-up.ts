import { ConversationGoneError, type CaughtUp, type Json } from "@handover/core";
import type { CallPriority } from "../connections/call-priority.ts";
import { callVendor } from "../connections/call-vendor.ts";
import { changeAttempt, note } from "../handover/draft.ts";
import { beginEnding, markClosed } from "../handover/ending.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { ConversationRecord, HandoverRecord, NewDelivery } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode } from "../support/describe-error.ts";
import { omit } from "../support/omit.ts";
import { changeHandover } from "./change-handover.ts";
import type { LaneScope } from "./lane.ts";

/** Tries of the first comparison after a start of the process. */
const patientTries = 8;
/** A conversation in which something was said is compared so much more often. */
export const livelyFactor = 4;
const maximumPages = 100;

/**
 * Asks the vendor what was missed and puts it in the inbox, page by page, each page together with its cursor.
 * @returns whether the vendor could be asked
 */
export async function catchUp(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  priority: CallPriority,
): Promise<boolean> {
  return scope.context.mutex.run(`catch-up:${handover.id}`, async () => {
    for (let page = 0; page < maximumPages; page += 1) {
      const current = (await scope.context.store.readHandover(handover.id)) ?? handover;
      if (current.attempt.number !== handover.attempt.number || !current.attempt.state) return false;
      const caught = await fetchPage(scope, conversation, current, priority);
      if (!caught) return false;
      const isAsked = handover.attempt.mustPull === true || current.attempt.mustPull === true;
      await storePage(scope, current, caught, isAsked);
      scope.progressed();
      const isStuck = caught.deliveries.length === 0 && isSameCursor(caught.cursor, current.attempt.catchUp?.cursor);
      if (!caught.hasMore || isStuck) return true;
    }
    return true;
  });
}

function isSameCursor(left: Json, right: Json | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

async function fetchPage(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  priority: CallPriority,
): Promise<CaughtUp | undefined> {
  const { context } = scope;
  const { attempt } = handover;
  const connection = context.connections.get(attempt.connection);
  try {
    const view = toProviderHandover(conversation, handover, attempt, connection);
    const cursor: Json | undefined = attempt.catchUp?.cursor;
    return await callVendor(
      context,
      { connection, method: "catchUp", priority, idempotencyKey: `${handover.id}-c${attempt.number}`, lease: scope.lease },
      async (call, handle) => (await handle.catchUp?.(view, cursor, call)) ?? { deliveries: [], cursor: null, hasMore: false },
    );
  } catch (error) {
    await catchUpFailed(scope, handover, error);
    return undefined;
  }
}

/** `isAsked`: the vendor said that there is something to fetch; what comes then has not been missed. */
async function storePage(scope: LaneScope, handover: HandoverRecord, caught: CaughtUp, isAsked: boolean): Promise<void> {
  const { context } = scope;
  const connection = context.connections.get(handover.attempt.connection);
  const hasWebhooks = connection.handle.receiveWebhook !== undefined;
  const nowMs = context.clock.now();
  const deliveries = caught.deliveries.map((delivery): NewDelivery => ({
    connection: connection.name,
    accountKey: handover.attempt.accountKey,
    ...(delivery.id === undefined ? {} : { id: delivery.id }),
    references: delivery.references,
    ...(delivery.order ? { order: delivery.order } : {}),
    payload: delivery.payload,
    receivedAtMs: nowMs,
    ...(hasWebhooks && !isAsked ? { isHealed: true as const } : {}),
  }));
  const { catchUpIntervalMs, retryFirstMs } = context.timing;
  await changeHandover(scope, handover.id, (draft, conversation) => {
    const { attempt } = draft.handover;
    if (attempt.number !== handover.attempt.number) return undefined;
    // While people are talking a lost webhook hurts most.
    const isLively = attempt.catchUp?.seq !== conversation.lastSeq;
    const intervalMs = isLively ? catchUpIntervalMs / livelyFactor : catchUpIntervalMs;
    const askedMs = caught.hasMore ? 0 : (caught.pollAfterMs ?? intervalMs);
    const pauseMs = Math.min(Math.max(askedMs, retryFirstMs), intervalMs);
    draft.handover = { ...draft.handover, attempt: omit(attempt, "mustPull") };
    // What changed after this page was asked for is not in it.
    const isNamed = attempt.catchUp?.isNamed && (caught.hasMore || !handover.attempt.catchUp?.isNamed);
    const catchUp = { cursor: caught.cursor, dueAtMs: nowMs + pauseMs, failures: 0, by: context.bootId, seq: conversation.lastSeq };
    changeAttempt(draft, { catchUp: isNamed ? { ...catchUp, isNamed } : catchUp });
    return { deliveries };
  });
}

async function catchUpFailed(scope: LaneScope, handover: HandoverRecord, error: unknown): Promise<void> {
  const { context } = scope;
  await changeHandover(scope, handover.id, (draft) => {
    const { attempt } = draft.handover;
    if (attempt.number !== handover.attempt.number) return undefined;
    const failures = (attempt.catchUp?.failures ?? 0) + 1;
    const dueAtMs = draft.nowMs + pauseAfter(failures, context.timing, context.random, error);
    // Until it has worked once, this process has not compared; after so many tries it goes on without.
    const by = attempt.catchUp && failures < patientTries ? attempt.catchUp.by : context.bootId;
    changeAttempt(draft, { catchUp: { ...attempt.catchUp, dueAtMs, failures, by } });
    note(draft, "catch-up-failed", { code: errorCode(error), failures });
    if (ConversationGoneError.isInstance(error)) {
      beginEnding(draft, { reason: "completed", actor: "system", code: error.code, closedBy: "vendor", windowMs: 0 });
      markClosed(draft);
      if (draft.handover.ending) draft.handover = { ...draft.handover, ending: { ...draft.handover.ending, hasCaughtUp: true } };
    }
    return {};
  });
}
