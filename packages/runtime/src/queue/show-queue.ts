import type { QueueInfo } from "@handover/core";
import { showNotice, type Draft } from "../handover/draft.ts";
import type { HandoverRecord } from "../store/records.ts";
import type { Texts } from "../texts.ts";
import { knownQueue, queueWords, shownQueue } from "./queue-rules.ts";

/** What an entry about the handover says of a queue. */
export function shownTo(handover: HandoverRecord, queue: QueueInfo | undefined): { readonly queue?: QueueInfo } {
  const shown = shownQueue(queue, handover.queueOptions ?? {});
  return Object.keys(shown).length === 0 ? {} : { queue: shown };
}

/** Remembers what is known of the queue, and shows it to somebody who waits there, if there is anything new to show. */
export function showQueue(draft: Draft, queue: QueueInfo, texts: Texts): void {
  const { handover } = draft;
  if (handover.status !== "queued" && handover.status !== "requested") return;
  const options = handover.queueOptions ?? {};
  const before = shownQueue(handover.queue, options);
  const shown = shownQueue(queue, options);
  draft.handover = { ...handover, queue: knownQueue(queue) };
  if (isSame(before, shown)) return;
  const text = queueWords(shown, texts);
  showNotice(draft, "queue-updated", { queue: shown, ...(text === undefined ? {} : { text }) });
}

function isSame(left: QueueInfo, right: QueueInfo): boolean {
  const keys = ["position", "estimatedWaitMs", "name", "text"] as const;
  return keys.every((key) => left[key] === right[key]);
}
