import { conversationKey } from "../conversation/conversation-key.ts";
import { requireEndpoint } from "../endpoints.ts";
import { RuntimeError } from "../errors.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { BlobRecord } from "../store/records.ts";
import { randomId } from "../support/system-random.ts";
import type { ByteSource } from "./byte-source.ts";
import { storeFile } from "./store-file.ts";

/** A file that a client gives. */
export interface NewAttachment {
  /** As the sender calls it; folders and control characters are taken away. */
  readonly name: string;
  /** Media type. Default: `application/octet-stream`. */
  readonly type?: string;
  readonly content: ByteSource;
}

/** A file that is kept. */
export interface StoredAttachment {
  /** Unique in the conversation; what a message names. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly sizeBytes: number;
}

/** Keeps a file of the user. It is part of no message yet. */
export async function putAttachment(context: RuntimeContext, request: ConversationAddress & NewAttachment): Promise<StoredAttachment> {
  requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  await requireRoom(context, key);
  const blob = await storeFile(context, {
    conversation: key,
    create: { endpoint: request.endpoint, conversation: request.conversation },
    id: `u-${randomId(context.random)}`,
    name: request.name,
    type: request.type,
    content: request.content,
  });
  context.metrics.count("handover_attachments_total", { from: "user", result: "stored" });
  return toStored(blob);
}

/** What may be told of a file. */
export function toStored({ id, name, type, sizeBytes }: BlobRecord): StoredAttachment {
  return { id, name, type, sizeBytes };
}

/** One conversation must not fill the store. Several files at the same moment may go over by what they are. */
async function requireRoom({ store, limits, metrics }: RuntimeContext, key: string): Promise<void> {
  const { attachmentsPerConversation: most, attachmentBytesPerConversation: mostBytes } = limits;
  const blobs = await store.listBlobs({ conversation: key, limit: most });
  const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (blobs.length < most && bytes < mostBytes) return;
  metrics.count("handover_attachments_total", { from: "user", result: "TOO_MANY_ATTACHMENTS" });
  throw new RuntimeError(
    "TOO_MANY_ATTACHMENTS",
    `The conversation has as many files as are allowed: ${most} files, or ${mostBytes} bytes in all. Files that were not sent go after a day.`,
  );
}
