import { HandoverError, type Attachment, type AttachmentContent } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import { attachmentNotFound } from "./attachment-errors.ts";
import { openFile } from "./get-attachment.ts";

/** Opens a file of a conversation for its provider, with a link where the host has a public URL. */
export async function readAttachment(
  context: RuntimeContext,
  { key, id, signal }: { readonly key: string | undefined; readonly id: string; readonly signal: AbortSignal },
): Promise<AttachmentContent> {
  if (key === undefined) throw attachmentNotFound();
  const linked = await findLinked(context, key, id);
  if (linked) return openLinked(context, linked, signal);
  const content = await openFile(context, key, id);
  const url = await linkTo(context, key, id);
  return { ...content, ...(url === undefined ? {} : { url }) };
}

/** The message's attachments, each with a link where there is none: for a bot, which has no other way to the bytes. */
export async function withLinks(context: RuntimeContext, key: string, attachments: readonly Attachment[]): Promise<readonly Attachment[]> {
  return Promise.all(
    attachments.map(async (attachment) => {
      const url = attachment.url ?? (await linkTo(context, key, attachment.id));
      return url === undefined ? attachment : { ...attachment, url };
    }),
  );
}

async function linkTo(context: RuntimeContext, key: string, id: string): Promise<string | undefined> {
  const conversation = await context.store.readConversation(key);
  return conversation && context.links.linkTo({ endpoint: conversation.endpoint, conversation: conversation.conversation, id });
}

/** The id of a bot's file that is only a link says where it stands: `<id of the entry>.<index>`. */
async function findLinked(context: RuntimeContext, key: string, id: string): Promise<Attachment | undefined> {
  const dot = id.lastIndexOf(".");
  const entry = dot < 0 ? undefined : await context.store.findEntry(key, "bot", id.slice(0, dot));
  return entry?.attachments?.find((attachment) => attachment.id === id && attachment.url !== undefined);
}

async function openLinked(context: RuntimeContext, { name, type, url = "" }: Attachment, signal: AbortSignal): Promise<AttachmentContent> {
  const content = await follow(context, url, signal);
  return { name, type, sizeBytes: content.sizeBytes, stream: limited(content.stream, context.limits.attachmentBytes), url };
}

/** What cannot be had is not there: the provider still has the link. */
async function follow({ fetchFile }: RuntimeContext, url: string, signal: AbortSignal): Promise<AttachmentContent> {
  const notThere = "The bot gave a link to the file, and it cannot be opened from here. Send the link instead.";
  if (!fetchFile) throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: notThere });
  try {
    return await fetchFile(url, { signal });
  } catch (cause) {
    if (!HandoverError.isInstance(cause) || cause.isRetryable) throw cause;
    throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: notThere, cause });
  }
}

/** What is not ours is cut where our own files would be. */
function limited(stream: ReadableStream<Uint8Array>, mostBytes: number): ReadableStream<Uint8Array> {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= mostBytes) controller.enqueue(chunk);
      else
        controller.error(
          new HandoverError({ code: "ATTACHMENT_TOO_LARGE", message: `A file behind a link of the bot has more than ${mostBytes} bytes.` }),
        );
    },
  });
  return stream.pipeThrough(counter);
}
