/** What a hook is told about a text. */
export interface RedactedText {
  /** `message` also for choices and cards, and for a change of a message; `note` is what agents write among themselves. */
  readonly kind: "message" | "summary" | "survey-answer" | "note";
  /** Who wrote it. */
  readonly author: "user" | "bot" | "agent" | "system";
  readonly endpoint: string;
  readonly conversation: string;
  /** Aborted when nobody waits for the answer any more, after `timing.callTimeoutMs`. */
  readonly signal: AbortSignal;
}

/**
 * Takes out of a text what must not go on, and gives back what may. It sees texts only: ids, authors, times and files are not its
 * to change.
 * @throws anything; the text is then refused, and what it threw is kept nowhere, as it may quote the text
 */
export type Redact = (text: string, about: RedactedText) => string | Promise<string>;

/**
 * Hooks that every text passes, once; what they give back is stored, and nothing else. A text that a hook refuses goes nowhere: the
 * user's channel gets `REDACTION_FAILED` and sends it again, a bot is asked again, and of an agent's message both sides are told.
 */
export interface RedactionOptions {
  /** Before a text of a user, a bot or a desk is stored: whoever reads the log, bot and desk included, sees what this gave back. */
  readonly beforeStore?: Redact;
  /** Over that, before a text of a user or a bot goes to a desk: in the transcript, while people talk, in summaries and surveys. */
  readonly beforeDesk?: Redact;
}
