import { HandoverError, ProviderApiError, type Attachment, type AttachmentContent, type Call, type ProviderContext } from "@handover/core";
import { request, type Dispatcher } from "undici";
import type { TestVendorClient } from "./test-vendor-client.ts";
import type { TestVendorSettings } from "./test-vendor-settings.ts";

/** Fetches a file by its id, always from the configured API: an address in a message is not to be trusted. */
export async function downloadAttachment(
  { settings, context, client }: { settings: TestVendorSettings; context: ProviderContext; client: Pick<TestVendorClient, "headers"> },
  attachment: Attachment,
  call: Call,
): Promise<AttachmentContent> {
  const { file } = (attachment.providerData ?? {}) as { file?: string };
  if (!file) throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "The file has no id at the vendor." });
  const url = `${settings.baseUrl}/files/${encodeURIComponent(file)}`;
  const dispatcher = context.dispatcher as Dispatcher | undefined;
  const answer = await request(url, {
    headers: await client.headers(call.signal),
    signal: call.signal,
    ...(dispatcher ? { dispatcher } : {}),
  });
  const bytes = await answer.body.bytes();
  if (answer.statusCode !== 200) {
    throw new ProviderApiError({ message: `The vendor answered ${answer.statusCode} for a file.`, status: answer.statusCode });
  }
  return { name: attachment.name, type: attachment.type, sizeBytes: bytes.length, stream: new Blob([new Uint8Array(bytes)]).stream() };
}
