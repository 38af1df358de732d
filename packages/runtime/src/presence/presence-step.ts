import { HandoverError } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { LeaseLostError, readView } from "../conversation/transact.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { ConversationRecord, HandoverRecord, PresenceRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorSummary } from "../support/describe-error.ts";
import { omit } from "../support/omit.ts";
import { canAnybodyListen, firstPresence, presenceListener, presenceOf, wantsToKnow } from "./presence-record.ts";

/** Without any news it is looked again after so many grace times: an instance that died said nothing of its readers. */
const quietGraceTimes = 10;

/** Where the step looks, and who hears of it. */
interface PresenceScope extends LaneScope {
  readonly conversation: ConversationRecord;
  readonly handover: HandoverRecord;
  readonly connection: Connection;
}

/** Tells the desk that the user went away or came back: after the grace time, once per change, in order, best effort. */
export async function presenceStep(lane: LaneScope): Promise<StepResult> {
  const { context, key } = lane;
  if (!canAnybodyListen(context)) return idle;
  const { conversation, handover } = await readView(context, key);
  const connection = conversation && handover && presenceListener(context, conversation, handover);
  if (!connection) return idle;
  const scope = { ...lane, conversation, handover, connection };
  const known = presenceOf(handover);
  if (!known) return beginToLook(scope);
  // Who is known to be away says so when coming back.
  const dueAtMs = known.checkAtMs ?? (known.isPresent ? nextLook(scope) : undefined);
  if (dueAtMs === undefined) return idle;
  return dueAtMs > context.clock.now() ? idleUntil(dueAtMs) : lookNow(scope, known);
}

/** Once per attempt and process: where nobody was ever seen, nobody can go away. Who has gone before that is missed now. */
async function beginToLook(scope: PresenceScope): Promise<StepResult> {
  const { context, handover } = scope;
  const once = `${handover.id}/${handover.attempt.number}`;
  if (context.presence.nextLook(once) !== undefined) return idle;
  context.presence.lookAt(once, context.clock.now());
  const look = await context.presence.look(scope.key);
  if (look.kind === "here") return save(scope, firstPresence(handover));
  const hasGone = look.kind === "away" && (look.wasHere === true || handover.presence !== undefined);
  return hasGone ? save(scope, { ...firstPresence(handover), checkAtMs: context.clock.now() }) : idle;
}

/** A process that has just taken over looks as soon as a user whose instance is gone can have come back. */
function nextLook({ context, key }: LaneScope): number {
  const planned = context.presence.nextLook(key);
  if (planned !== undefined) return planned;
  const atMs = context.clock.now() + context.timing.presenceGraceMs;
  context.presence.lookAt(key, atMs);
  return atMs;
}

async function lookNow(scope: PresenceScope, known: PresenceRecord): Promise<StepResult> {
  const { context, key } = scope;
  const look = await context.presence.look(key);
  const nowMs = context.clock.now();
  context.presence.lookAt(key, nowMs + quietGraceTimes * context.timing.presenceGraceMs);
  if (look.kind === "unknown") return idle;
  if (look.kind === "here" && known.isPresent) {
    if (look.againAtMs !== undefined) return idleUntil(look.againAtMs);
    return known.checkAtMs === undefined ? again : save(scope, omit(known, "checkAtMs"));
  }
  if (look.kind === "away" && !known.isPresent) return save(scope, omit(known, "checkAtMs"));
  // Nobody has seen the user go: it may be a moment ago.
  if (look.kind === "away" && known.checkAtMs === undefined) {
    return save(scope, { ...known, checkAtMs: nowMs + context.timing.presenceGraceMs });
  }
  return tell(scope, known, look.kind === "here");
}

async function tell(scope: PresenceScope, known: PresenceRecord, isPresent: boolean): Promise<StepResult> {
  const { context, conversation, connection } = scope;
  // Whoever comes or goes while the desk is told finds nothing to write: it is looked once more.
  const told: PresenceRecord = { attempt: known.attempt, isPresent, changes: known.changes + 1, checkAtMs: context.clock.now() };
  if (!wantsToKnow(context, conversation, isPresent)) return save(scope, told);
  if (!(await connection.gate.mayCallNow("setUserPresence"))) return idleUntil(context.clock.now() + context.timing.retryMaximumMs);
  // Others took a while to say whether the user is there: the desk may be done meanwhile.
  const current = await readCurrent(scope);
  if (!current) return again;
  const calls = (known.failed?.calls ?? 0) + 1;
  try {
    const view = toProviderHandover(conversation, current, current.attempt, connection);
    await callVendor(
      context,
      // Not every desk lets everybody do that: it must not hold up messages.
      {
        connection,
        method: "setUserPresence",
        idempotencyKey: `${current.id}-p${told.changes}`,
        attempt: calls,
        lease: scope.lease,
        isOffline: true,
      },
      async (call, handle) => handle.setUserPresence?.(view, isPresent, call),
    );
    return await save(scope, told);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    return tellFailed(scope, known, told, { calls, error });
  }
}

/** The handover as it is now, unless its desk need not know any more. */
async function readCurrent({ context, key, handover: before }: PresenceScope): Promise<HandoverRecord | undefined> {
  const { conversation, handover } = await readView(context, key);
  const isSame = handover?.id === before.id && handover.attempt.number === before.attempt.number;
  return isSame && conversation && presenceListener(context, conversation, handover) ? handover : undefined;
}

/** Repeated only where the desk surely was not told: a line too many is worse than one that is missing. */
async function tellFailed(
  scope: PresenceScope,
  known: PresenceRecord,
  told: PresenceRecord,
  { calls, error }: { readonly calls: number; readonly error: unknown },
): Promise<StepResult> {
  const { context, connection } = scope;
  const nowMs = context.clock.now();
  const firstAtMs = known.failed?.firstAtMs ?? nowMs;
  const nextAtMs = nowMs + pauseAfter(calls, context.timing, context.random, error);
  const isNotApplied = HandoverError.isInstance(error) && error.isRetryable && error.outcome === "not-applied";
  if (isNotApplied && nextAtMs <= firstAtMs + context.timing.connectionRetryMs) {
    return save(scope, { ...known, checkAtMs: nextAtMs, failed: { calls, firstAtMs } });
  }
  context.logger.debug(`A desk could not be told whether the user is there: ${errorSummary(error)}`, { connection: connection.name });
  return save(scope, told);
}

/** What was written meanwhile, about a user who came or went again, is looked at next. */
async function save({ handover, ...scope }: PresenceScope, presence: PresenceRecord): Promise<StepResult> {
  const before = presenceOf(handover)?.checkAtMs;
  await changeHandover(scope, handover.id, (draft) => {
    if (draft.handover.attempt.number !== presence.attempt) return undefined;
    const current = presenceOf(draft.handover)?.checkAtMs;
    const isNews = current !== before && current !== undefined;
    draft.handover = { ...draft.handover, presence: isNews ? { ...presence, checkAtMs: current } : presence };
    return {};
  });
  return again;
}
