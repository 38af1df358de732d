import type { AttachmentContent } from "@handover/core";
import { conversationKey } from "../conversation/conversation-key.ts";
import { requireEndpoint } from "../endpoints.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { StoredBlob } from "../store/store.ts";
import { errorSummary } from "../support/describe-error.ts";
import { attachmentNotFound, attachmentNotReady, attachmentUnavailable } from "./attachment-errors.ts";
import { findDeskFile, type DeskFile } from "./desk-files.ts";

const longestId = 200;

/** Opens a file of a conversation for whoever may read the conversation. */
export function getAttachment(context: RuntimeContext, request: ConversationAddress & { readonly id: string }): Promise<AttachmentContent> {
  requireEndpoint(context.endpoints, request.endpoint);
  return openFile(context, conversationKey(request), request.id);
}

/** Opens the file behind a link. An endpoint that is gone takes its files with it. */
export async function openAttachmentLink(context: RuntimeContext, token: string): Promise<AttachmentContent> {
  const linked = await context.links.open(token);
  if (!linked || !context.endpoints.has(linked.key.slice(0, linked.key.indexOf("/")))) throw attachmentNotFound();
  return openFile(context, linked.key, linked.id);
}

/**
 * Opens a file that is stored, or fetches it from the desk first.
 *
 * @throws RuntimeError `ATTACHMENT_NOT_FOUND`, `ATTACHMENT_NOT_READY`, `ATTACHMENT_UNAVAILABLE`
 */
export async function openFile(context: RuntimeContext, key: string, id: string): Promise<AttachmentContent> {
  const stored = await readFile(context, key, id);
  if (stored) return stored;
  const found = isId(id) ? await findDeskFile(context, key, id) : undefined;
  if (!found || found.file.isDeleted) throw attachmentNotFound();
  if (found.file.failedAs !== undefined) throw attachmentUnavailable(found.file.failedAs);
  await fetchNow(context, found);
  const fetched = await readFile(context, key, id);
  if (fetched) return fetched;
  throw attachmentNotReady();
}

/** A file that is stored. */
async function readFile(context: RuntimeContext, key: string, id: string): Promise<AttachmentContent | undefined> {
  const stored = isId(id) ? await context.store.readBlob(key, id) : undefined;
  return stored && toContent(stored);
}

function isId(id: string): boolean {
  return id !== "" && id.length <= longestId && id.isWellFormed();
}

function toContent({ blob, content }: StoredBlob): AttachmentContent {
  const { name, type, sizeBytes } = blob;
  return { name, type, sizeBytes, stream: ReadableStream.from(content) };
}

/** Somebody waits for it: once, now. What does not work now is the lane's to repeat. */
async function fetchNow(context: RuntimeContext, found: DeskFile): Promise<void> {
  const { conversation, file } = found;
  const isRunning = context.fileFetches.isRunning(conversation.key, file.id);
  // Whoever asks again and again does not make the vendor be called more often than the lane does.
  const isPausing = file.tries > 0 && file.nextTryAtMs > context.clock.now();
  if (!isRunning && (isPausing || !(await mayCallNow(context, file.connection)))) throw attachmentNotReady();
  try {
    await context.fileFetches.fetch(found);
  } catch (error) {
    context.logger.debug(`A file of the desk could not be opened yet: ${errorSummary(error)}`, { connection: file.connection });
    throw attachmentNotReady(error);
  }
}

async function mayCallNow({ connections }: RuntimeContext, name: string): Promise<boolean> {
  if (!connections.has(name) || !connections.get(name).handle.downloadAttachment) return true;
  return connections.get(name).gate.mayCallNow("downloadAttachment");
}
