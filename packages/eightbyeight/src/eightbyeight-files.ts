import {
  HandoverError,
  type Attachment,
  type AttachmentContent,
  type Cache,
  type Call,
  type Handover,
  type ProviderContext,
} from "@handover/core";
import { isLoopbackHost, openDownload, type Download } from "@handover/provider-utils";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import type { EightbyeightOptions, EightbyeightSettings } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import type { WireAttachment } from "./eightbyeight-wire.ts";

/** How long a pre-signed URL lasts is not documented; the content route is always there. */
const preSignedMs = 300_000;

/** Keeps what an event says of its files in memory only: whoever has a pre-signed URL can read the file. */
export function rememberFiles(cache: Cache, attachments: readonly WireAttachment[]): void {
  for (const { id, preSignedUrl: url, fileName } of attachments) {
    if (url === undefined && fileName === undefined) continue;
    cache.set(fileKey(id), { ...(url === undefined ? {} : { url }), ...(fileName === undefined ? {} : { fileName }) }, preSignedMs);
  }
}

/** The name of a file whose event came not long ago, to this process. */
export function rememberedName(cache: Cache, attachmentId: string): string | undefined {
  return recall(cache, attachmentId).fileName;
}

function recall(cache: Cache, attachmentId: string): { readonly url?: string; readonly fileName?: string } {
  return (cache.get(fileKey(attachmentId)) ?? {}) as { url?: string; fileName?: string };
}

/** By the pre-signed URL while there is one, else through the API. Section 3.6 of the reference page. */
export async function downloadAttachment(
  parts: { readonly settings: EightbyeightSettings; readonly context: ProviderContext; readonly client: EightbyeightClient },
  handover: Handover<EightbyeightOptions, EightbyeightState>,
  attachment: Attachment,
  call: Call,
): Promise<AttachmentContent> {
  const { settings, context, client } = parts;
  const { url } = recall(context.cache, attachment.id);
  const direct = url !== undefined && mayFollow(settings, url) ? await openPreSigned(url, context, call) : undefined;
  const download = direct ?? (await openByApi(client, handover.state.conversationId, attachment.id, call));
  const type = attachment.type === "application/octet-stream" ? (textOf(download, "content-type") ?? attachment.type) : attachment.type;
  return { name: attachment.name, type, sizeBytes: download.sizeBytes || (attachment.sizeBytes ?? 0), stream: download.stream };
}

/** Without our headers: the address is all the proof there is. One that does not work any more is no error. */
async function openPreSigned(url: string, context: ProviderContext, call: Call): Promise<Download | undefined> {
  try {
    const download = await openDownload({ url, context, signal: call.signal });
    if (download.status === 200) return download;
    await download.stream.cancel();
  } catch (error) {
    if (call.signal.aborted) throw error;
  }
  call.logger.debug("a pre-signed URL of 8x8 did not work; the API is asked for the file");
  return undefined;
}

async function openByApi(client: EightbyeightClient, conversationId: string, attachmentId: string, call: Call): Promise<Download> {
  try {
    return await client.openAttachment(conversationId, attachmentId, call.signal);
  } catch (error) {
    if (HandoverError.isInstance(error)) throw error;
    throw new HandoverError({
      code: "ATTACHMENT_NOT_REACHED",
      message: "The connection to 8x8 broke before a file was there.",
      isRetryable: true,
      cause: error,
    });
  }
}

/** A URL that came with an event leads to 8x8's own hosts and those that the operator named, and nowhere else. */
export function mayFollow({ baseUrl, fileHosts }: Pick<EightbyeightSettings, "baseUrl" | "fileHosts">, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, host, username, password } = new URL(url);
  const own = new URL(baseUrl);
  if (username || password) return false;
  // In development the base URL is on this machine, and so are the files.
  if (host === own.host) return protocol === own.protocol;
  if (protocol !== "https:" || isLoopbackHost(hostname) || /^[\d.]+$|^\[/.test(hostname)) return false;
  return hostname === own.hostname || hostname.endsWith(".8x8.com") || fileHosts.includes(hostname);
}

function fileKey(attachmentId: string): string {
  return `eightbyeight:file:${attachmentId}`;
}

function textOf({ headers }: Download, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value.split(";")[0]?.trim() : undefined;
}
