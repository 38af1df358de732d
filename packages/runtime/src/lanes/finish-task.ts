import { endpointOf } from "../endpoints.ts";
import { isInDoubt } from "../handover/attempts.ts";
import { readUndelivered } from "../handover/desk-entries.ts";
import { finishEnding } from "../handover/ending.ts";
import { settledPart } from "../handover/part-cursor.ts";
import type { ConversationRecord, EndingRecord, HandoverRecord } from "../store/records.ts";
import { catchUp } from "./catch-up.ts";
import { changeHandover } from "./change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/** How often a vendor is asked for what was missed before an end is shown without it. */
export const lastCatchUpTries = 8;

/** Shows the end once the vendor's side is closed, nothing is on its way, and what was missed has been fetched. */
export async function finishTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { ending, attempt } = handover;
  if (!ending || handover.status !== "ending") return idle;
  const nowMs = scope.context.clock.now();
  if (!isVendorSettled(handover) || (await hasUnclearPart(scope, handover))) {
    const letGoAtMs = await letGoTime(scope, handover, ending);
    return letGoAtMs > nowMs ? idleUntil(letGoAtMs) : letGo(scope, conversation, handover);
  }
  if (ending.settledAtMs > nowMs) return idleUntil(ending.settledAtMs);
  if (attempt.phase === "started" && attempt.catchUp && !ending.hasCaughtUp) return lastCatchUp(scope, conversation, handover);
  return showEnd(scope, conversation, handover.id);
}

/** True when no call of ours can change anything at the vendor any more. */
function isVendorSettled({ ending, attempt }: HandoverRecord): boolean {
  switch (attempt.phase) {
    case "started":
      return ending?.closedBy === "vendor" || attempt.end?.isDone === true;
    case "starting":
      return attempt.callUntilMs === undefined && !isInDoubt(attempt);
    case "in-doubt":
      return false;
    case "leaving":
    case "over":
      return true;
  }
}

/**
 * From when on whoever leaves is no longer kept by a desk that cannot be reached or does not let itself be closed. A desk that
 * works through what was written before, or that has taken the end and will say when it is over, is waited for.
 */
async function letGoTime({ context }: LaneScope, { id, attempt }: HandoverRecord, ending: EndingRecord): Promise<number> {
  const { callTimeoutMs } = context.timing;
  const later = context.clock.now() + callTimeoutMs;
  if (attempt.phase !== "started" || attempt.end?.isRequested || !context.connections.has(attempt.connection)) return later;
  const refusedSinceMs = attempt.end?.firstAtMs ?? context.connections.get(attempt.connection).gate.pausedSinceMs;
  if (refusedSinceMs === undefined) return later;
  const open = await context.store.readOpenParts(id, attempt.number);
  // What may still arrive there is not called undelivered.
  const callsUntilMs = open.map((part) => part.callUntilMs ?? 0);
  return Math.max(Math.max(ending.sinceMs, refusedSinceMs) + callTimeoutMs, ...callsUntilMs);
}

/** The user is told and the bot goes on; the desk is closed in the background, as soon as it lets itself be closed. */
async function letGo(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { attempt, ending } = handover;
  const canAsk = !scope.context.connections.get(attempt.connection).gate.isPaused;
  const mustAsk = attempt.catchUp !== undefined && ending?.hasCaughtUp === false;
  if (mustAsk && canAsk && (await catchUp(scope, conversation, handover, "end"))) return markCaughtUp(scope, handover.id);
  // What could not be asked now is asked when the desk can be reached again.
  return showEnd(scope, conversation, handover.id);
}

async function hasUnclearPart(scope: LaneScope, handover: HandoverRecord): Promise<boolean> {
  const open = await scope.context.store.readOpenParts(handover.id, handover.attempt.number);
  return open.some((part) => part.status === "sending" || part.status === "unclear");
}

async function lastCatchUp(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const state = handover.attempt.catchUp;
  const failures = state?.failures ?? 0;
  if (state && failures > 0 && failures < lastCatchUpTries && state.dueAtMs > scope.context.clock.now()) return idleUntil(state.dueAtMs);
  const hasAsked = await catchUp(scope, conversation, handover, "end");
  return !hasAsked && failures + 1 < lastCatchUpTries ? again : markCaughtUp(scope, handover.id);
}

async function markCaughtUp(scope: LaneScope, handoverId: string): Promise<StepResult> {
  await changeHandover(scope, handoverId, (draft) => {
    const { ending } = draft.handover;
    if (!ending) return undefined;
    draft.handover = { ...draft.handover, ending: { ...ending, hasCaughtUp: true } };
    return {};
  });
  return again;
}

async function showEnd(scope: LaneScope, conversation: ConversationRecord, handoverId: string): Promise<StepResult> {
  const { context } = scope;
  const { texts } = endpointOf(context.endpoints, conversation.endpoint);
  await changeHandover(scope, handoverId, async (draft, current) => {
    if (draft.handover.status !== "ending") return undefined;
    const open = await context.store.readOpenParts(handoverId, draft.handover.attempt.number);
    if (open.some((part) => (part.callUntilMs ?? 0) > draft.nowMs)) return undefined;
    draft.parts.push(...open.map((part) => settledPart(part, "failed")));
    const throughSeq = draft.handover.ending?.sendThrough ?? current.lastSeq;
    const isDetached = draft.handover.attempt.relay === "none";
    const missed = isDetached ? [] : await readUndelivered(context.store, draft.handover, throughSeq);
    finishEnding(
      draft,
      texts,
      missed.map((entry) => entry.seq),
    );
    return { expectLastSeq: current.lastSeq };
  });
  return again;
}
