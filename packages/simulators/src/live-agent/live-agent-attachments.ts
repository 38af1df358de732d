import { createHmac, timingSafeEqual } from "node:crypto";
import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Attachment, Blob, JsonObject, Message } from "./live-agent-state.ts";
import { createToken, takeId } from "./live-agent-state.ts";

/** A file as it comes in a form. In the log it is its name and size. */
export interface UploadedFile {
  readonly name: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  toJSON?(): unknown;
}

export const mostAttachments = 15;

export function storeFile(context: LiveAgentContext, file: UploadedFile): Blob {
  const { name, type, content } = file;
  const blob = { key: createToken(), name, type, content, createdAtMs: context.clock.now(), requests: 0 };
  context.state.blobs.set(blob.key, blob);
  return blob;
}

export function createAttachment(context: LiveAgentContext, blob: Blob): Attachment {
  return { id: takeId(context.state, "attachment"), fileType: fileTypeOf(blob.type), blob };
}

/** Its files are gone from the storage too. */
export function removeAttachments(context: LiveAgentContext, message: Message): void {
  for (const { blob } of message.attachments.splice(0)) context.state.blobs.delete(blob.key);
}

function fileTypeOf(mediaType: string): Attachment["fileType"] {
  if (/^image\/(jpeg|png|gif|bmp|webp)$/.test(mediaType)) return "image";
  if (/^video\/(mp4|ogg|webm|quicktime)$/.test(mediaType)) return "video";
  return mediaType.startsWith("audio/") ? "audio" : "file";
}

/** What calls and webhooks show of a file; the keys came one after the other. */
export function viewAttachment(context: LiveAgentContext, message: Message, attachment: Attachment): JsonObject {
  const { profile } = context;
  const { blob, fileType, id } = attachment;
  const extension = /\.([^.]+)$/.exec(blob.name)?.[1] ?? null;
  const isImage = fileType === "image";
  return {
    id,
    message_id: message.id,
    file_type: fileType,
    account_id: message.conversation.accountId,
    extension: profile.has("fileSize") ? extension : null,
    ...(profile.has("attachmentContentType") ? { content_type: blob.type } : {}),
    data_url: fileUrl(context, blob, "blobs"),
    thumb_url: isImage && profile.has("fileSize") ? fileUrl(context, blob, "representations") : "",
    ...(profile.has("fileSize") ? { file_size: blob.content.length } : {}),
    ...(profile.has("imageSize") ? { width: null, height: null } : {}),
    ...(fileType === "audio" ? { transcribed_text: "" } : {}),
  };
}

/** The address that a message shows: it redirects to the storage and needs no token. */
export function fileUrl(context: LiveAgentContext, blob: Blob, kind: "blobs" | "representations"): string {
  return `${context.origin}/rails/active_storage/${kind}/redirect/${signedId(context, blob)}/${encodeURIComponent(blob.name)}`;
}

/** The name of a file that a later call may attach. */
export function signedId(context: LiveAgentContext, blob: Blob): string {
  const { attachmentUrlSeconds } = context.behaviour;
  const expires = attachmentUrlSeconds === null ? "never" : String(blob.createdAtMs + attachmentUrlSeconds * 1000);
  return `${blob.key}.${expires}--${sign(context, `${blob.key}.${expires}`)}`;
}

/** The file that a signed id names, unless it was tampered with or is no longer valid. */
export function findSigned(context: LiveAgentContext, id: string): Blob | undefined {
  const [, key = "", expires = "", signature = ""] = /^([^.]+)\.(never|\d+)--([\w-]+)$/.exec(id) ?? [];
  if (!isSigned(context, `${key}.${expires}`, signature)) return undefined;
  if (expires !== "never" && context.clock.now() >= Number(expires)) return undefined;
  return context.state.blobs.get(key);
}

/** Where the file itself is, for a few minutes. */
export function storageUrl(context: LiveAgentContext, blob: Blob): string {
  const { storageOrigin, storageUrlSeconds } = context.behaviour;
  const base = new URL(context.origin);
  const origin = storageOrigin === null ? context.origin : `${storageOrigin}${base.pathname.replace(/\/$/, "")}`;
  const expires = String(context.clock.now() + storageUrlSeconds * 1000);
  const query = new URLSearchParams({ expires, signature: sign(context, `${blob.key} ${expires}`) });
  return `${origin}/rails/active_storage/disk/${blob.key}/${encodeURIComponent(blob.name)}?${query.toString()}`;
}

export function isValidStorageUrl(context: LiveAgentContext, key: string, expires: string, signature: string): boolean {
  return isSigned(context, `${key} ${expires}`, signature) && context.clock.now() < Number(expires);
}

function sign(context: LiveAgentContext, text: string): string {
  return createHmac("sha256", context.urlSecret).update(text).digest("base64url");
}

function isSigned(context: LiveAgentContext, text: string, signature: string): boolean {
  const expected = Buffer.from(sign(context, text));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
