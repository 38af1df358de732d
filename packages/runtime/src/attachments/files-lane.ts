import { errorCode, errorSummary } from "../support/describe-error.ts";
import { note, showNotice, type Draft } from "../handover/draft.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { DeskFileRecord } from "../store/records.ts";
import { endpointOf } from "../endpoints.ts";
import { HandoverError } from "@handover/core";
import { pauseAfter } from "../support/backoff.ts";
import type { DeskFile } from "./desk-files.ts";
import { isMissing } from "./fetch-desk-file.ts";

/** Files of one conversation that are fetched at the same time. */
const atOnce = 4;

/** Fetches the files of the desk beside the messages: while the vendor still has them, again until it is no use any more. */
export async function filesStep(scope: LaneScope): Promise<StepResult> {
  const { context } = scope;
  const waiting = await filesToFetch(scope);
  if (waiting.length === 0) return idle;
  const nowMs = context.clock.now();
  const due = waiting.filter(({ file }) => file.nextTryAtMs <= nowMs).slice(0, atOnce);
  if (due.length === 0) return idleUntil(...waiting.map(({ file }) => file.nextTryAtMs));
  const fetched = await Promise.all(due.map((found) => fetchOne(scope, found)));
  if (fetched.includes("tried")) return again;
  // Only this process knows that it waits for a turn: whoever comes after it looks by itself.
  return idleUntil(nowMs + context.timing.catchUpIntervalMs);
}

/** Those of the handover that runs, and of the one that ended last. */
async function filesToFetch({ context, key }: LaneScope): Promise<DeskFile[]> {
  const conversation = await context.store.readConversation(key);
  if (!conversation) return [];
  const ids = [conversation.currentHandover, conversation.lastHandover].filter((id) => id !== undefined);
  const handovers = await Promise.all(ids.map((id) => context.store.readHandover(id)));
  return handovers.flatMap((handover) =>
    (handover?.files ?? []).flatMap((file) => (handover && file.failedAs === undefined ? { conversation, handover, file } : [])),
  );
}

async function fetchOne(scope: LaneScope, found: DeskFile): Promise<"tried" | "waits"> {
  const { context, key } = scope;
  const { file } = found;
  const { fileFetches } = context;
  if (file.isDeleted) {
    // What somebody still fetches would come after it was deleted.
    if (fileFetches.isRunning(key, file.id)) await fileFetches.fetch(found).catch(() => undefined);
    await deleteFile(scope, found);
    return "tried";
  }
  // Whoever opened it may have fetched it: then nothing is called, and nobody else's turn is taken.
  const isStored = (await context.store.readBlob(key, file.id)) !== undefined;
  if (!isStored && !fileFetches.isRunning(key, file.id) && !mayCall(scope, file)) return "waits";
  try {
    if (!isStored) await fileFetches.fetch(found);
  } catch (error) {
    await fetchFailed(scope, found, error);
    return "tried";
  }
  await fetchDone(scope, found);
  return "tried";
}

/** The bytes first: a crash in between leaves the wish to delete them. */
async function deleteFile(scope: LaneScope, { handover, file }: DeskFile): Promise<void> {
  await scope.context.store.deleteBlob(scope.key, file.id);
  await changeHandover(scope, handover.id, (draft) => {
    replaceFile(draft, file.id, undefined);
    return {};
  });
}

function mayCall({ context, key }: LaneScope, { connection: name }: DeskFileRecord): boolean {
  if (!context.connections.has(name)) return true;
  const connection = context.connections.get(name);
  return !connection.handle.downloadAttachment || connection.gate.mayCall(key, "downloadAttachment");
}

async function fetchDone(scope: LaneScope, { handover, file }: DeskFile): Promise<void> {
  const { context, key } = scope;
  const outcome = { isWanted: false };
  await changeHandover(scope, handover.id, (draft) => {
    outcome.isWanted = isWaitedFor(draft, file);
    if (!outcome.isWanted) return undefined;
    replaceFile(draft, file.id, undefined);
    return {};
  });
  if (outcome.isWanted) return;
  // Erased or deleted while it was fetched, unless it was another instance that has noted it: then the file is not ours to delete.
  await scope.lease.hold(0);
  await context.store.deleteBlob(key, file.id);
}

async function fetchFailed(scope: LaneScope, found: DeskFile, error: unknown): Promise<void> {
  const { context } = scope;
  // Our own stop says nothing about the file: whoever comes next tries it.
  if (context.stopSignal.aborted) return;
  const { file } = found;
  const nowMs = context.clock.now();
  const tries = file.tries + 1;
  const firstFailedAtMs = file.firstFailedAtMs ?? nowMs;
  const nextTryAtMs = nowMs + pauseAfter(tries, context.timing, context.random, error);
  const canRepeat = isMissing(error) || !HandoverError.isInstance(error) || error.isRetryable || error.effect === "connection";
  const patienceMs = isMissing(error) ? context.timing.messageRetryMs : context.timing.connectionRetryMs;
  if (!canRepeat || nextTryAtMs > firstFailedAtMs + patienceMs) return giveUp(scope, found, error);
  await changeHandover(scope, found.handover.id, (draft) => {
    if (!isWaitedFor(draft, file)) return undefined;
    replaceFile(draft, file.id, { ...file, tries, firstFailedAtMs, nextTryAtMs });
    return {};
  });
}

/** Both sides are told: the reader that there is nothing to open, the desk that its file was not passed on. */
async function giveUp(scope: LaneScope, { conversation, handover, file }: DeskFile, error: unknown): Promise<void> {
  const { context, key } = scope;
  const code = errorCode(error);
  context.logger.warn(`A file of the desk could not be fetched and is not tried again: ${errorSummary(error)}`, {
    handover: handover.id,
    connection: file.connection,
    code,
  });
  context.metrics.count("handover_attachments_total", { from: "desk", result: code });
  const about = await context.store.findEntry(key, file.connection, file.message);
  const { fileUnavailable } = endpointOf(context.endpoints, conversation.endpoint).texts;
  await changeHandover(scope, handover.id, (draft) => {
    if (!isWaitedFor(draft, file)) return undefined;
    replaceFile(draft, file.id, { ...file, tries: file.tries + 1, failedAs: code });
    note(draft, "file-given-up", { code });
    if (!about) return {};
    showNotice(draft, "message-failed", {
      about: about.seq,
      cause: { actor: "system", code },
      ...(fileUnavailable === "" ? {} : { text: fileUnavailable }),
    });
    const reason = `A file of it could not be passed on (${code}).`;
    draft.unseen.push({ connection: file.connection, vendorMessageId: file.message, atMs: Date.parse(about.at), reason });
    return {};
  });
}

/** It may have been erased, or its message been deleted, while it was fetched. */
function isWaitedFor({ handover }: Draft, file: DeskFileRecord): boolean {
  return handover.files?.some(({ id, isDeleted }) => id === file.id && !isDeleted) ?? false;
}

/** From the newest record: others of the same handover may have been dealt with meanwhile. */
function replaceFile(draft: Draft, id: string, changed: DeskFileRecord | undefined): void {
  const files = (draft.handover.files ?? []).flatMap((file) => (file.id === id ? (changed ?? []) : file));
  const { files: _files, ...rest } = draft.handover;
  draft.handover = files.length > 0 ? { ...rest, files } : rest;
}
