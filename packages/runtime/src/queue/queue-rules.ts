import type { QueueInfo } from "@handover/core";
import type { Texts } from "../texts.ts";
import type { QueueOptions } from "./queue-options.ts";

/** A queue without what says nothing: vendors write -1, -2, null or NaN for a number that they do not know. */
export function knownQueue(queue: QueueInfo | undefined): QueueInfo {
  const { position, estimatedWaitMs, name, text } = queue ?? {};
  return {
    ...(isKnown(position) ? { position } : {}),
    ...(isKnown(estimatedWaitMs) ? { estimatedWaitMs } : {}),
    ...(name ? { name } : {}),
    ...(text ? { text } : {}),
  };
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/**
 * What users are shown of a queue: nothing that is switched off, and the alternative text in place of the numbers while one of them
 * is above its maximum. Equal to the maximum is not above it.
 */
export function shownQueue(queue: QueueInfo | undefined, options: QueueOptions): QueueInfo {
  const { position, estimatedWaitMs, ...words } = knownQueue(queue);
  if (isTooMuch(position, estimatedWaitMs, options)) {
    const { alternativeText } = options;
    return { ...(words.name ? { name: words.name } : {}), ...(alternativeText ? { text: alternativeText } : {}) };
  }
  return {
    ...(position === undefined || options.getQueuePosition === false ? {} : { position }),
    ...(estimatedWaitMs === undefined || options.getEstimatedWaitTime === false ? {} : { estimatedWaitMs }),
    ...words,
  };
}

function isTooMuch(position: number | undefined, estimatedWaitMs: number | undefined, options: QueueOptions): boolean {
  if (options.alternativeUpdate !== true) return false;
  const { maximumQueuePosition = Infinity, maximumEstimatedWaitTimeMs = Infinity } = options;
  return (position ?? 0) > maximumQueuePosition || (estimatedWaitMs ?? 0) > maximumEstimatedWaitTimeMs;
}

/** The words for a queue as it is shown: its own text, else a sentence for each number. Nothing when there is nothing to say. */
export function queueWords(queue: QueueInfo, texts: Texts): string | undefined {
  const { position, estimatedWaitMs, text } = queue;
  const sentences = [
    position === undefined ? "" : texts.queuePosition.replaceAll("{position}", String(position)),
    estimatedWaitMs === undefined ? "" : texts.estimatedWait.replaceAll("{minutes}", String(Math.ceil(estimatedWaitMs / 60_000))),
  ];
  const words = text ?? sentences.filter((sentence) => sentence !== "").join(" ");
  return words === "" ? undefined : words;
}
