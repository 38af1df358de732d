import { entriesAfter } from "../handover/desk-entries.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { BlobRecord } from "../store/records.ts";

/** How long a file may be in no message. */
export const unusedForMs = 24 * 60 * 60 * 1000;

const pageSize = 200;
const scope = "attachments";
const memoryKey = "looked-at-before";

/** Deletes files that are in no message after a day. Each file is looked at once: later no message can name it any more. */
export async function eraseUnusedFiles(context: RuntimeContext): Promise<void> {
  const { store, clock } = context;
  const beforeMs = clock.now() - unusedForMs;
  const lookedAt = await store.readMemory(scope, memoryKey);
  let fromMs = typeof lookedAt === "number" ? lookedAt : 0;
  while (fromMs < beforeMs) {
    const page = await store.listBlobs({ fromMs, beforeMs, limit: pageSize });
    await eraseUnused(context, page);
    const last = page.at(-1);
    // Of one millisecond there are never so many.
    fromMs = last && page.length === pageSize ? Math.max(fromMs + 1, Math.floor(last.createdAtMs)) : beforeMs;
    await store.writeMemory(scope, memoryKey, fromMs);
  }
}

async function eraseUnused({ store, metrics }: RuntimeContext, blobs: readonly BlobRecord[]): Promise<void> {
  for (const [key, files] of Map.groupBy(blobs, ({ conversation }) => conversation)) {
    const unused = new Map(files.map((file) => [file.id, file]));
    for await (const { attachments = [] } of entriesAfter(store, key, 0)) for (const { id } of attachments) unused.delete(id);
    for (const id of unused.keys()) {
      await store.deleteBlob(key, id);
      metrics.count("handover_attachments_total", { from: "user", result: "unused" });
    }
  }
}
