import type { EndActor, EndReason } from "@handover/core";
import type { EndingRecord, HandoverRecord } from "../store/records.ts";
import { changeAttempt, nextSeq, note, showEnd, showNotice, type Draft } from "./draft.ts";
import { leaveAttempt } from "./attempts.ts";
import { endText, type Texts } from "../texts.ts";

/** What an end is called that the user or bot asked for: it is a cancellation only while nobody had answered. */
export function requestedReason(handover: HandoverRecord): EndReason {
  return handover.wasActive ? "completed" : "cancelled";
}

/** Decides that a handover ends. What is decided first counts; a second decision only says that the vendor closed. */
export function beginEnding(
  draft: Draft,
  end: {
    readonly reason: EndReason;
    readonly actor: EndActor;
    readonly code?: string;
    readonly closedBy: "vendor" | "us";
    readonly windowMs: number;
    /** Only the user is given back. A desk that has not taken the request yet is closed all the same. */
    readonly leavesDeskOpen?: boolean;
  },
): void {
  const { handover } = draft;
  if (handover.status === "ended") return note(draft, "late-end");
  if (handover.status === "ending") {
    if (end.closedBy === "vendor") markClosed(draft);
    return;
  }
  const ending: EndingRecord = {
    reason: end.reason,
    actor: end.actor,
    ...(end.code ? { code: end.code } : {}),
    sinceMs: draft.nowMs,
    closedBy: end.closedBy,
    ...(end.closedBy === "us" ? { sendThrough: nextSeq(draft) - 1 } : {}),
    settledAtMs: draft.nowMs + end.windowMs,
    hasCaughtUp: false,
    ...(end.leavesDeskOpen && handover.attempt.phase === "started" ? { leavesDeskOpen: true } : {}),
  };
  draft.handover = { ...handover, status: "ending", ending };
}

/** Notes that the vendor's side is closed: what is learned for a moment is still shown. */
export function markClosed(draft: Draft, windowMs = 0): void {
  const { handover } = draft;
  const tries = handover.attempt.end;
  changeAttempt(draft, {
    end: { calls: tries?.calls ?? 0, firstAtMs: tries?.firstAtMs ?? draft.nowMs, nextTryAtMs: draft.nowMs, isDone: true },
  });
  if (!handover.ending || tries?.isDone) return;
  const settledAtMs = Math.max(handover.ending.settledAtMs, draft.nowMs + windowMs);
  draft.handover = { ...draft.handover, ending: { ...handover.ending, settledAtMs } };
}

/** True when nothing more can be sent: the desk's side is closed, by whomever. */
export function isDeskClosed({ ending, attempt }: HandoverRecord): boolean {
  return ending !== undefined && (ending.closedBy === "vendor" || attempt.end?.isDone === true);
}

/** The end was shown while the vendor could not be asked: what was said there before is still to be learned. */
export function owesComparison({ attempt, ending }: HandoverRecord): boolean {
  return attempt.state !== undefined && attempt.catchUp !== undefined && ending?.hasCaughtUp === false;
}

/** Nothing is left to do at the desk. */
function isOver(handover: HandoverRecord): boolean {
  if (handover.ending?.leavesDeskOpen) return true;
  return handover.attempt.end?.isDone === true && !owesComparison(handover);
}

/** Shows the end, names what the desk never got, and gives the conversation back. */
export function finishEnding(draft: Draft, texts: Texts, undelivered: readonly number[]): void {
  const { ending, attempt } = draft.handover;
  if (!ending) return;
  for (const seq of undelivered) {
    showNotice(draft, "message-failed", { about: seq, ...(texts.messageFailed === "" ? {} : { text: texts.messageFailed }) });
  }
  const text = endText(texts, ending.reason);
  const seq = nextSeq(draft);
  showEnd(draft, { ...ending, ...(text === undefined ? {} : { text }) });
  draft.handover = {
    ...draft.handover,
    status: "ended",
    shownStatus: "ended",
    attempt: isOver(draft.handover) ? { ...attempt, phase: "over" } : leaveAttempt(attempt),
    ended: {
      seq,
      atMs: draft.nowMs,
      reason: ending.reason,
      actor: ending.actor,
      takesThrough: ending.sendThrough ?? seq,
      undelivered,
    },
  };
  draft.clearsTyping = true;
}
