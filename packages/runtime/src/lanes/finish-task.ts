import { endpointOf } from "../endpoints.ts";
import { isInDoubt } from "../handover/attempts.ts";
import { readUndelivered } from "../handover/desk-entries.ts";
import { finishEnding } from "../handover/ending.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { catchUp } from "./catch-up.ts";
import { changeHandover } from "./change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

/** How often a vendor is asked for what was missed before an end is shown without it. */
export const lastCatchUpTries = 8;

/** Shows the end once the vendor's side is closed, nothing is on its way, and what was missed has been fetched. */
export async function finishTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { ending, attempt } = handover;
  if (!ending || handover.status !== "ending") return idle;
  if (!isVendorSettled(handover) || (await hasUnclearPart(scope, handover))) return idle;
  const nowMs = scope.context.clock.now();
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

async function hasUnclearPart(scope: LaneScope, handover: HandoverRecord): Promise<boolean> {
  const open = await scope.context.store.readOpenParts(handover.id, handover.attempt.number);
  return open.some((part) => part.status === "sending" || part.status === "unclear");
}

async function lastCatchUp(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const state = handover.attempt.catchUp;
  if (state && state.failures > 0 && state.dueAtMs > scope.context.clock.now()) return idleUntil(state.dueAtMs);
  const hasAsked = await catchUp(scope, conversation, handover);
  if (!hasAsked && (state?.failures ?? 0) + 1 < lastCatchUpTries) return again;
  await changeHandover(scope, handover.id, (draft) => {
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
