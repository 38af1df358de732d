import type { EndReason } from "@handover/core";

/** The words that a user reads when the handover changes. An empty text shows nothing. */
export interface Texts {
  /** The desk has taken the request. */
  readonly accepted: string;
  readonly unavailable: string;
  readonly failed: string;
  readonly timedOut: string;
  readonly completed: string;
  readonly cancelled: string;
  readonly abandoned: string;
  /** A message that did not reach the desk. */
  readonly messageFailed: string;
}

/** English words for every text. */
export const defaultTexts: Texts = {
  accepted: "Connecting you to a colleague ...",
  unavailable: "Nobody is available right now.",
  failed: "We could not reach our team. Please try again later.",
  timedOut: "Nobody could take your request in time.",
  completed: "The conversation with our team is over.",
  cancelled: "Your request was cancelled.",
  abandoned: "The conversation was closed because nobody was there.",
  messageFailed: "This message could not be delivered.",
};

/** The text for an end, or nothing when it is switched off. */
export function endText(texts: Texts, reason: EndReason): string | undefined {
  const text = reason === "timed-out" ? texts.timedOut : texts[reason];
  return text === "" ? undefined : text;
}
