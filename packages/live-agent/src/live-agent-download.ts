import {
  ConversationGoneError,
  HandoverError,
  ProviderApiError,
  type Attachment,
  type AttachmentContent,
  type Call,
  type Handover,
  type Logger,
} from "@handover/core";
import { createFileFetcher, isLoopbackHost, isPublicAddress, type FileFetcher } from "@handover/provider-utils";
import { z } from "zod";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import type { LiveAgentState } from "./live-agent-state.ts";

const sourceSchema = z.object({ message: z.string(), url: z.string() });
type Source = z.output<typeof sourceSchema>;

/** What a file's link may be answered with when it has expired, or when the file is not in the storage yet. */
const staleStatuses: readonly (number | undefined)[] = [400, 403, 404, 410];

/**
 * Follows the desk's links, and where they redirect, without our token: to the installation itself, and to the hosts that the
 * operator says its files are at.
 */
export function createFiles(settings: LiveAgentSettings, logger: Logger): FileFetcher {
  const own = new URL(settings.baseUrl);
  const isOwn = (hostname: string): boolean => hostname === own.hostname.replace(/^\[(.*)\]$/, "$1");
  return createFileFetcher({
    // The operator says where the desk is, be it within a network of their own; what it redirects to says somebody else.
    allowsAddress: (address, hostname) => isOwn(hostname) || isPublicAddress(address),
    allowsUrl(url) {
      const isAllowed = url.host === own.host || settings.fileHosts.some((host) => isHost(url, host));
      if (!isAllowed) logger.warn("a file of the desk is at a host that fileHosts does not name", { host: url.host });
      return isAllowed && (url.protocol === "https:" || isLoopbackHost(url.hostname));
    },
  });
}

/** Section 3.4 of the reference page. The runtime asks again while the file is not there yet. */
export async function downloadAttachment(
  parts: { readonly settings: LiveAgentSettings; readonly client: LiveAgentClient; readonly files: FileFetcher },
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  attachment: Attachment,
  call: Call,
): Promise<AttachmentContent> {
  const source = sourceSchema.safeParse(attachment.providerData).data;
  if (!source) throw notFound();
  const content = await fetchFresh(parts, handover, attachment, source, call);
  if (content.sizeBytes > parts.settings.maxFileBytes) {
    await content.stream.cancel();
    throw new HandoverError({ code: "ATTACHMENT_TOO_LARGE", message: "A file of the desk is larger than maxFileBytes." });
  }
  const isTypeKnown = attachment.type !== "" && attachment.type !== "application/octet-stream";
  return { ...content, name: attachment.name, type: isTypeKnown ? attachment.type : content.type };
}

async function fetchFresh(
  { client, files }: Parameters<typeof downloadAttachment>[0],
  { state }: Handover<LiveAgentOptions, LiveAgentState>,
  attachment: Attachment,
  source: Source,
  call: Call,
): Promise<AttachmentContent> {
  try {
    return await files.fetch(source.url, call);
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || !staleStatuses.includes(error.status)) throw error;
    // It may be the same: then the file is perhaps there by now.
    return files.fetch(await readUrl(client, state.conversationId, source.message, attachment.id, call.signal), call);
  }
}

/** A link can have an end; the message itself has a new one whenever it is read. */
async function readUrl(
  client: LiveAgentClient,
  conversationId: string,
  messageId: string,
  fileId: string,
  signal: AbortSignal,
): Promise<string> {
  try {
    const before = String(BigInt(messageId) + 1n);
    const message = (await client.listMessages(conversationId, { before }, signal)).find(({ id }) => id === messageId);
    const file = message?.attachments?.find(({ id }, index) => (id ?? String(index + 1)) === fileId);
    if (file?.data_url !== undefined) return file.data_url;
  } catch (error) {
    if (!ConversationGoneError.isInstance(error) && !(error instanceof SyntaxError)) throw error;
  }
  throw notFound();
}

function isHost(url: URL, host: string): boolean {
  if (!host.startsWith("*.")) return url.host === host || url.hostname === host;
  return url.hostname.endsWith(host.slice(1)) && url.port === "";
}

function notFound(): HandoverError {
  return new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "Live Agent no longer has the file." });
}
