import type { EndActor, EndReason } from "@handover/core";
import type { NewEntry, NoticeEvent, StoredEntry } from "../entry.ts";
import { startInactivity } from "../inactivity/inactivity-timer.ts";
import { omit } from "../support/omit.ts";
import type { AttemptRecord, Commit, EntryAmendment, HandoverRecord, JournalItem, PartRecord } from "../store/records.ts";

/** A message of the desk that the user will never see. */
export interface UnseenMessage {
  readonly connection: string;
  readonly vendorMessageId: string;
  /** When it was written, in Unix milliseconds. */
  readonly atMs: number;
  /** A short text for agents. */
  readonly reason: string;
}

/** A change of a handover while it is worked out: what will be committed together. */
export interface Draft {
  handover: HandoverRecord;
  readonly nowMs: number;
  /** Number of the newest entry before this change. */
  readonly lastSeq: number;
  readonly append: NewEntry[];
  readonly amend: EntryAmendment[];
  readonly parts: PartRecord[];
  readonly journal: JournalItem[];
  /** The desk's typing sign must go out. */
  clearsTyping: boolean;
  /** Messages of the desk that the user will never see: it is told after the commit. */
  readonly unseen: UnseenMessage[];
}

/** A draft that changes nothing yet. */
export function createDraft(handover: HandoverRecord, nowMs: number, lastSeq: number): Draft {
  return { handover, nowMs, lastSeq, append: [], amend: [], parts: [], journal: [], clearsTyping: false, unseen: [] };
}

/** Remembers a draft as it is. @returns how to go back to that */
export function remember(draft: Draft): () => void {
  const { handover, clearsTyping } = draft;
  const { append, amend, parts, journal, unseen } = draft;
  const lists: readonly unknown[][] = [append, amend, parts, journal, unseen];
  const lengths = lists.map(({ length }) => length);
  return () => {
    Object.assign(draft, { handover, clearsTyping });
    for (const [index, list] of lists.entries()) list.length = lengths[index] ?? 0;
  };
}

/** What a draft commits. */
export function draftCommit(draft: Draft): Pick<Commit, "handovers" | "append" | "amend" | "parts" | "journal"> {
  const { handover, append, amend, parts, journal } = draft;
  return { handovers: [handover], append, amend, parts, journal };
}

/** The number that the next appended entry gets. */
export function nextSeq(draft: Draft): number {
  return draft.lastSeq + draft.append.length + 1;
}

/** Changes the current attempt. */
export function changeAttempt(draft: Draft, change: Partial<AttemptRecord>): void {
  draft.handover = { ...draft.handover, attempt: { ...draft.handover.attempt, ...change } };
}

/** Writes a fact that no participant sees. */
export function note(draft: Draft, what: string, details?: JournalItem["details"]): void {
  const { handover } = draft;
  draft.journal.push({
    atMs: draft.nowMs,
    what,
    conversation: handover.conversation,
    handover: handover.id,
    connection: handover.attempt.connection,
    ...(details ? { details } : {}),
  });
}

/** What an entry about a handover may say besides its kind. */
type EntryDetails = Partial<Omit<StoredEntry, "seq" | "id" | "kind" | "source" | "handover">> & { readonly atMs?: number };

/** Shows a status, unless it is the one that was shown last or the handover is already ending. */
export function showStatus(
  draft: Draft,
  status: "requested" | "queued" | "active",
  details: EntryDetails & { readonly text?: string } = {},
): void {
  if (draft.handover.status === "ending" || draft.handover.status === "ended") return;
  if (draft.handover.status === status && draft.handover.entryCount > 0) return;
  if (status === "queued" && draft.handover.status === "requested") startInactivity(draft);
  draft.handover = { ...draft.handover, status, shownStatus: status };
  if (status === "active") {
    // Whoever comes back to the queue is told about it anew.
    const attempt = omit(draft.handover.attempt, "queuePoll");
    draft.handover = {
      ...omit(draft.handover, "acceptBeforeMs", "queue"),
      attempt,
      wasActive: true,
      activeAtMs: draft.handover.activeAtMs ?? draft.nowMs,
    };
  }
  appendEntry(draft, "handover", { status, ...details });
}

/** Shows the end. */
export function showEnd(
  draft: Draft,
  end: { readonly reason: EndReason; readonly actor: EndActor; readonly code?: string; readonly text?: string },
): void {
  const { reason, actor, code, text } = end;
  appendEntry(draft, "handover", {
    status: "ended",
    reason,
    cause: { actor, ...(code ? { code } : {}) },
    ...(text === undefined ? {} : { text }),
  });
}

/** Shows a notice. */
export function showNotice(draft: Draft, event: NoticeEvent, details: EntryDetails = {}): void {
  appendEntry(draft, "notice", { event, ...details });
}

function appendEntry(draft: Draft, kind: "handover" | "notice", details: EntryDetails): void {
  const { atMs, ...rest } = details;
  const entryCount = draft.handover.entryCount + 1;
  draft.handover = { ...draft.handover, entryCount };
  draft.append.push({
    id: `${draft.handover.id}:${entryCount}`,
    source: "runtime",
    kind,
    at: new Date(atMs ?? draft.nowMs).toISOString(),
    handover: draft.handover.id,
    audience: ["user", "bot", "desk"],
    ...rest,
  });
}
