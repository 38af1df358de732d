import { isEmptyMessage, type Message, type TranscriptEntry } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import { redactOlder } from "../redaction/redact-older.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Store } from "../store/store.ts";
import type { HandoverRecord } from "../store/records.ts";
import { omit } from "../support/omit.ts";

const pageSize = 100;

/** An entry as the message that a provider sends. */
export function toMessage(entry: StoredEntry): Message {
  return {
    id: entry.id,
    author: entry.author ?? { role: "system" },
    sentAt: entry.at,
    ...(entry.text === undefined ? {} : { text: entry.text }),
    ...(entry.format === undefined ? {} : { format: entry.format }),
    ...(entry.attachments ? { attachments: entry.attachments } : {}),
    ...(entry.choices ? { choices: entry.choices } : {}),
    ...(entry.cards ? { cards: entry.cards } : {}),
    ...(entry.answer ? { answer: entry.answer } : {}),
  };
}

/** The same for the desk of a handover: a choice that another one's desk had offered means nothing to it, its words do. */
export function toDeskMessage(entry: StoredEntry, handover: string): Message {
  const message = { ...toMessage(entry), ...entry.forDesk };
  return entry.answerOf === undefined || entry.answerOf === handover ? message : omit(message, "answer");
}

/** True for what was said before the handover and belongs in its transcript. */
function isTranscriptEntry(handover: HandoverRecord, entry: StoredEntry): boolean {
  if (!isForDesk(entry) || entry.seq <= handover.transcriptAfter || entry.seq > handover.requestedSeq) return false;
  const role = entry.author?.role;
  return role === "bot" || (role === "user" && entry.seq <= handover.takesAfter);
}

/** True for what is relayed to the desk while the handover runs. */
function isLiveEntry(handover: HandoverRecord, entry: StoredEntry): boolean {
  if (!isForDesk(entry)) return false;
  const through = handover.ending?.sendThrough ?? handover.ended?.takesThrough ?? Infinity;
  const role = entry.author?.role;
  if (role === "user") return entry.seq > handover.takesAfter && entry.seq <= through;
  return role === "bot" && entry.seq > handover.requestedSeq && entry.seq <= through;
}

function isForDesk(entry: StoredEntry): boolean {
  return entry.kind === "message" && entry.audience.includes("desk") && !isEmptyMessage({ ...entry, ...entry.forDesk });
}

/** The whole transcript of a handover, oldest first. */
export async function readTranscript(context: RuntimeContext, handover: HandoverRecord): Promise<TranscriptEntry[]> {
  const { store } = context;
  const transcript: TranscriptEntry[] = [];
  for await (const entry of entriesAfter(store, handover.conversation, handover.transcriptAfter)) {
    if (entry.seq > handover.requestedSeq) break;
    if (!isTranscriptEntry(handover, entry)) continue;
    const redacted = await redactOlder(context, handover.conversation, entry);
    if (redacted) transcript.push({ seq: entry.seq, message: toDeskMessage(redacted, handover.id) });
  }
  return transcript;
}

/**
 * What the desk gets next: the rest of the transcript first, then what is written while the handover runs.
 * @param scannedThrough what an earlier call for the same attempt gave back: nothing up to there is for the desk any more
 */
export async function nextDeskEntry(
  store: Store,
  handover: HandoverRecord,
  scannedThrough: number,
): Promise<{ readonly entry?: StoredEntry; readonly scannedThrough: number }> {
  const { attempt, conversation, requestedSeq } = handover;
  const hasTranscript = scannedThrough < requestedSeq;
  for await (const entry of hasTranscript
    ? entriesAfter(store, conversation, Math.max(attempt.transcriptThrough, handover.transcriptAfter))
    : []) {
    if (entry.seq > requestedSeq) break;
    if (isTranscriptEntry(handover, entry)) return { entry, scannedThrough: 0 };
  }
  let through = Math.max(attempt.liveThrough, scannedThrough);
  for await (const entry of entriesAfter(store, conversation, through)) {
    if (isLiveEntry(handover, entry)) return { entry, scannedThrough: through };
    through = entry.seq;
  }
  return { scannedThrough: through };
}

/** User entries that the handover took and the desk has not got. */
export async function readUndelivered(store: Store, handover: HandoverRecord, throughSeq: number): Promise<StoredEntry[]> {
  const undelivered: StoredEntry[] = [];
  for await (const entry of entriesAfter(store, handover.conversation, handover.attempt.liveThrough)) {
    if (entry.seq > throughSeq) break;
    if (entry.author?.role === "user" && isLiveEntry(handover, entry)) undelivered.push(entry);
  }
  return undelivered;
}

/** All entries after a number, page by page. */
export async function* entriesAfter(store: Store, key: string, after: number): AsyncGenerator<StoredEntry> {
  for (let from = after; ;) {
    const page = await store.readEntries(key, { after: from, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    from = last.seq;
  }
}
