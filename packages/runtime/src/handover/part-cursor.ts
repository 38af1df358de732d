import type { HandoverRecord, PartRecord } from "../store/records.ts";
import { omit } from "../support/omit.ts";
import { changeAttempt, type Draft } from "./draft.ts";

/** True when an entry belongs to the transcript, not to what is relayed live. */
export function isInTranscript(handover: HandoverRecord, entry: { readonly seq: number; readonly isUser: boolean }): boolean {
  return entry.seq <= handover.requestedSeq && (!entry.isUser || entry.seq <= handover.takesAfter);
}

/** True when the lane stands behind an entry already. */
export function isPassed(handover: HandoverRecord, entry: { readonly seq: number; readonly isUser: boolean }): boolean {
  const { transcriptThrough, liveThrough } = handover.attempt;
  return entry.seq <= (isInTranscript(handover, entry) ? transcriptThrough : liveThrough);
}

/** The lane stands behind an entry: the desk has it, or never will. */
export function passEntry(draft: Draft, entry: { readonly seq: number; readonly isUser: boolean }): void {
  const cursor = isInTranscript(draft.handover, entry) ? "transcriptThrough" : "liveThrough";
  changeAttempt(draft, { [cursor]: Math.max(draft.handover.attempt[cursor], entry.seq) });
}

/** A part that has no call under way or ahead: it is over, or begins anew. */
export function settledPart(part: PartRecord, status: "sent" | "failed" | "planned"): PartRecord {
  return { ...omit(part, "callUntilMs", "nextTryAtMs"), status };
}

/** After the last part of an entry the lane stands behind that entry. */
export function passPart(draft: Draft, part: PartRecord): void {
  if (part.attempt !== draft.handover.attempt.number || part.index < part.count - 1) return;
  passEntry(draft, { seq: part.seq, isUser: part.part.message.author.role === "user" });
}
