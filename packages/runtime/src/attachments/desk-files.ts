import { createHash } from "node:crypto";
import type { Attachment, Message } from "@handover/core";
import type { Draft } from "../handover/draft.ts";
import { note } from "../handover/draft.ts";
import type { StoredEntry } from "../entry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationRecord, DeskFileRecord, HandoverRecord } from "../store/records.ts";
import { cleanFileName } from "./file-name.ts";
import { cleanMediaType } from "./media-type.ts";

/** More than any desk lets an agent send at once. */
const mostFiles = 50;
/** How many handovers of one conversation are looked through for a file that is not here yet. */
const mostHandovers = 50;

/**
 * Takes the files of a message that the desk sent: its entry gets our own ids and no link of the vendor, and the handover remembers
 * what is to be fetched.
 *
 * @param isNew the log does not have the message yet
 */
export function takeDeskFiles(draft: Draft, message: Message, isNew: boolean): readonly Attachment[] {
  const { connection } = draft.handover.attempt;
  const given = message.attachments ?? [];
  const files = given.slice(0, mostFiles).map((attachment, index): DeskFileRecord => ({
    id: fileId(connection, message.id, attachment, index),
    connection,
    message: message.id,
    attachment,
    tries: 0,
    nextTryAtMs: draft.nowMs,
  }));
  if (given.length > mostFiles) note(draft, "files-left-out", { count: given.length - mostFiles });
  const before = draft.handover.files ?? [];
  const added = files.filter(({ id }) => !before.some((file) => file.id === id));
  if (isNew && added.length > 0) draft.handover = { ...draft.handover, files: [...before, ...added] };
  return files.map(({ id, attachment }) => toShown(id, attachment));
}

/** The desk has deleted a message: what was fetched of its files goes, and nothing more is fetched. */
export function forgetDeskFiles(draft: Draft, { id: message, source: connection, attachments = [] }: StoredEntry): void {
  const forgotten = attachments.map((attachment): DeskFileRecord => ({
    id: attachment.id,
    connection,
    message,
    attachment: { id: attachment.id, name: "", type: "" },
    tries: 0,
    nextTryAtMs: draft.nowMs,
    isDeleted: true,
  }));
  if (forgotten.length === 0) return;
  const others = (draft.handover.files ?? []).filter(({ id }) => !forgotten.some((file) => file.id === id));
  draft.handover = { ...draft.handover, files: [...others, ...forgotten] };
}

/** The same after a crash. */
function fileId(connection: string, message: string, { id }: Attachment, index: number): string {
  const what = JSON.stringify([connection, message, id, index]);
  return `f-${createHash("sha256").update(what).digest("base64url").slice(0, 22)}`;
}

function toShown(id: string, { name, type, sizeBytes }: Attachment): Attachment {
  const isKnownSize = sizeBytes !== undefined && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
  return { id, name: cleanFileName(name), type: cleanMediaType(type), ...(isKnownSize ? { sizeBytes } : {}) };
}

/** A file of the desk that is not stored yet. */
export interface DeskFile {
  readonly conversation: ConversationRecord;
  readonly handover: HandoverRecord;
  readonly file: DeskFileRecord;
}

/** Looks for a file of the desk that is still to be fetched, or was given up. */
export async function findDeskFile(context: RuntimeContext, key: string, id: string): Promise<DeskFile | undefined> {
  const conversation = await context.store.readConversation(key);
  let next = conversation?.currentHandover ?? conversation?.lastHandover;
  for (let seen = 0; conversation && next !== undefined && seen < mostHandovers; seen += 1) {
    const handover = await context.store.readHandover(next);
    const file = handover?.files?.find((candidate) => candidate.id === id);
    if (handover && file) return { conversation, handover, file };
    next = handover?.previous;
  }
  return undefined;
}
