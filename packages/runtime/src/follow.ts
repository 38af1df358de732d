import { conversationKey } from "./conversation/conversation-key.ts";
import { waitForChange } from "./conversation/wait-for-change.ts";
import { requireEndpoint } from "./endpoints.ts";
import { entryFor, type Entry } from "./entry.ts";
import { linksFor } from "./attachments/entry-links.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConversationAddress } from "./runtime.ts";

const pageSize = 200;

/** The entries of a conversation, the ones that are there and then each new one. */
export async function* followEntries(
  context: RuntimeContext,
  request: ConversationAddress & { readonly after?: number; readonly signal?: AbortSignal },
): AsyncGenerator<Entry> {
  requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  const stop = AbortSignal.any([context.stopSignal, ...(request.signal ? [request.signal] : [])]);
  const linkTo = linksFor(context, request);
  let after = request.after ?? 0;
  const isStopped = () => stop.aborted;
  while (!isStopped()) {
    const change = context.changes.next(key);
    try {
      const page = await context.store.readEntries(key, { after, limit: pageSize }).catch((error: unknown) => {
        // The store is closed while the runtime stops.
        if (isStopped()) return [];
        throw error;
      });
      for (const entry of page) {
        if (isStopped()) return;
        yield entryFor(entry, "user", linkTo);
        after = entry.seq;
      }
      if (page.length === 0) await waitForChange(context, change.promise, stop);
    } finally {
      change.cancel();
    }
  }
}
