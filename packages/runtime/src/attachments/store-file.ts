import type { RuntimeContext } from "../runtime-context.ts";
import type { BlobRecord, NewBlob } from "../store/records.ts";
import { chunksOf, peek, type ByteSource } from "./byte-source.ts";
import { cleanFileName } from "./file-name.ts";
import { checkedType, cleanMediaType, sniffedBytes } from "./media-type.ts";

/** A file that is about to be kept, as its sender describes it. */
export interface IncomingFile extends Pick<NewBlob, "conversation" | "create" | "id"> {
  readonly name: unknown;
  readonly type: unknown;
  readonly content: ByteSource;
  /** Until when its bytes are waited for. */
  readonly signal?: AbortSignal;
}

/**
 * Keeps a file, piece by piece, under a clean name and a type that can be believed.
 *
 * @throws RuntimeError `ATTACHMENT_TOO_LARGE` as soon as there are too many bytes; whatever the content throws
 */
export async function storeFile(context: RuntimeContext, file: IncomingFile): Promise<BlobRecord> {
  const chunks = chunksOf(file.content, file.signal);
  try {
    const { start, content } = await peek(chunks, sniffedBytes);
    const blob: NewBlob = {
      conversation: file.conversation,
      ...(file.create ? { create: file.create } : {}),
      id: file.id,
      name: cleanFileName(file.name),
      type: checkedType(cleanMediaType(file.type), start),
      createdAtMs: context.clock.now(),
    };
    return await context.store.putBlob(blob, content, { maximumBytes: context.limits.attachmentBytes });
  } finally {
    await chunks.return(undefined);
  }
}
