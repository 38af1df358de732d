import { HandoverError, ProviderApiError, type Attachment, type AttachmentContent, type Handover } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { RuntimeError } from "../errors.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { inTime } from "../support/in-time.ts";
import type { DeskFile } from "./desk-files.ts";
import { storeFile } from "./store-file.ts";

/** What of the runtime fetches files. */
export interface FileFetches {
  /** Fetches a file and keeps it; who asks for the same one meanwhile waits for the same. @throws HandoverError */
  fetch(found: DeskFile): Promise<void>;
  isRunning(key: string, id: string): boolean;
}

/** Each file is fetched once at a time in this process. */
export function createFileFetches(context: () => RuntimeContext): FileFetches {
  const running = new Map<string, Promise<void>>();
  const nameOf = (key: string, id: string) => `${key} ${id}`;

  async function fetchAndForget(name: string, found: DeskFile): Promise<void> {
    try {
      await fetchDeskFile(context(), found);
    } finally {
      running.delete(name);
    }
  }

  return {
    fetch(found) {
      const name = nameOf(found.conversation.key, found.file.id);
      const known = running.get(name);
      if (known) return known;
      const fetch = fetchAndForget(name, found);
      running.set(name, fetch);
      return fetch;
    },
    isRunning: (key, id) => running.has(nameOf(key, id)),
  };
}

/** True for a file that the vendor does not have, or does not have yet. */
export function isMissing(error: unknown): boolean {
  if (HandoverError.isInstance(error) && error.code === "ATTACHMENT_NOT_FOUND") return true;
  return ProviderApiError.isInstance(error) && error.status === 404;
}

async function fetchDeskFile(context: RuntimeContext, found: DeskFile): Promise<void> {
  const { conversation, file } = found;
  if (await context.store.readBlob(conversation.key, file.id)) return;
  const connection = context.connections.has(file.connection) ? context.connections.get(file.connection) : undefined;
  const view = connection?.handle.downloadAttachment ? viewOf(found, connection) : undefined;
  if (connection && view) await download(context, found, connection, view);
  else await follow(context, found);
  context.metrics.count("handover_attachments_total", { from: "desk", result: "stored" });
}

/** The handover as it is at that connection; nothing when it knows nothing of it any more. */
function viewOf({ conversation, handover, file }: DeskFile, connection: Connection): Handover | undefined {
  const attempt = [handover.attempt, ...handover.leaving.toReversed()].find((one) => one.connection === file.connection && one.state);
  return attempt && toProviderHandover(conversation, handover, attempt, connection);
}

/** Half of what a lane may take, so that it never looks as if it hung. */
function limitMs({ timing }: RuntimeContext): number {
  return Math.min(timing.attachmentTimeoutMs, timing.stallMs / 2);
}

async function download(context: RuntimeContext, found: DeskFile, connection: Connection, view: Handover): Promise<void> {
  const { file } = found;
  const untilMs = context.clock.now() + limitMs(context);
  await callVendor(
    context,
    // Files may come from another host: when that is down, the desk need not be.
    { connection, method: "downloadAttachment", idempotencyKey: file.id, attempt: file.tries + 1, untilMs, isBeside: true },
    async (call, handle) => {
      const content = await handle.downloadAttachment?.(view, file.attachment, call);
      if (content) await keep(context, found, content, call.signal);
    },
  );
}

/** Without a method for it: the link in the message, through what the host has for links of others. */
async function follow(context: RuntimeContext, found: DeskFile): Promise<void> {
  const { url } = found.file.attachment;
  if (url === undefined || !context.fetchFile) {
    throw new RuntimeError(
      "ATTACHMENT_UNAVAILABLE",
      "A file of the desk cannot be fetched: its connection has no way to, and there is no link, or the host follows none. Give the runtime `fetchFile`.",
    );
  }
  await inTime(context, { limitMs: limitMs(context), late: "The file did not come in time." }, async (signal) => {
    const content = await context.fetchFile?.(url, { signal });
    if (content) await keep(context, found, content, signal);
  });
}

async function keep(
  context: RuntimeContext,
  { conversation, file }: DeskFile,
  content: Pick<AttachmentContent, "name" | "type" | "stream">,
  signal: AbortSignal,
): Promise<void> {
  const { name, type }: Attachment = file.attachment;
  await storeFile(context, {
    conversation: conversation.key,
    id: file.id,
    name: name || content.name,
    type: type && type !== "application/octet-stream" ? type : content.type,
    content: content.stream,
    signal,
  });
}
