import { transact } from "../conversation/transact.ts";
import { entryFor, type Entry } from "../entry.ts";
import type { ConversationAddress } from "../runtime.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorSummary } from "../support/describe-error.ts";
import { again, idle, idleUntil, type LaneStep } from "./lane.ts";

/** What a push channel is given. */
export type EntryListener = (entry: Entry & ConversationAddress) => Promise<void>;

/** A listener that never answers must not keep the runtime from stopping. */
async function orStopped(work: Promise<void>, stop: AbortSignal): Promise<void> {
  let onStop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    onStop = () => reject(new Error("The runtime stops."));
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop, { once: true });
  });
  stopped.catch(() => undefined);
  try {
    await Promise.race([work, stopped]);
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

/** From the log to a push channel: every entry in order, again until the listener has taken it. */
export function createPushStep(listener: () => EntryListener | undefined): LaneStep {
  let failures = 0;
  let retryAtMs = 0;
  return async (scope) => {
    const { context, key, fence } = scope;
    const push = listener();
    if (!push) return idle;
    if (retryAtMs > context.clock.now()) return idleUntil(retryAtMs);
    const conversation = await context.store.readConversation(key);
    if (!conversation || conversation.pushedThrough >= conversation.lastSeq) return idle;
    const [entry] = await context.store.readEntries(key, { after: conversation.pushedThrough, limit: 1 });
    if (!entry) return idle;
    try {
      const shown = entryFor(entry, "user");
      const given = { ...shown, endpoint: conversation.endpoint, conversation: conversation.conversation };
      if (shown.kind !== "hidden") await orStopped(push(given), context.stopSignal);
      failures = 0;
    } catch (error) {
      failures += 1;
      retryAtMs = context.clock.now() + pauseAfter(failures, context.timing, context.random, error);
      context.logger.warn(`A push channel did not take an entry; it gets it again: ${errorSummary(error)}`, { seq: entry.seq, failures });
      return idleUntil(retryAtMs);
    }
    await transact(context, { key, fence }, () => ({ commit: { update: { pushedThrough: entry.seq } }, result: undefined }));
    return again;
  };
}
