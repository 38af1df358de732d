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
  /** With a known position in the queue, in place of `{position}`. */
  readonly queuePosition: string;
  /** With a known waiting time, in place of `{minutes}`: whole ones, rounded up. */
  readonly estimatedWait: string;
  /** A message that did not reach the desk. */
  readonly messageFailed: string;
  /** A file of the desk that cannot be had. */
  readonly fileUnavailable: string;
  /** Label of the button under `accepted` that takes the request back. Empty by default: no button. */
  readonly cancelButton: string;
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
  queuePosition: "You are number {position} in the queue.",
  estimatedWait: "Estimated wait: {minutes} min.",
  messageFailed: "This message could not be delivered.",
  fileUnavailable: "A file of this message could not be loaded.",
  cancelButton: "",
};

/** The text for an end, or nothing when it is switched off. */
export function endText(texts: Texts, reason: EndReason): string | undefined {
  const text = reason === "timed-out" ? texts.timedOut : texts[reason];
  return text === "" ? undefined : text;
}
