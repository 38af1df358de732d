import type { Reference } from "./handover.ts";
import type { Json } from "./json.ts";

/** Fields of a log line: plain values only. No message text, no secret, no e-mail address. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where log lines go. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Runs a step inside a span. The default one only runs it. */
export interface Tracer {
  span<Result>(name: string, attributes: LogFields, run: () => Promise<Result>): Promise<Result>;
}

/** The bytes of a file: one that a user or bot sent, or one that the desk sent. */
export interface AttachmentContent {
  readonly name: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * A link that needs no other proof, for vendors that want links: it expires, so it is for fetching the file, not for keeping. Absent
   * when the host has no public URL.
   */
  readonly url?: string;
}

/** What goes with every call of a connection's method. */
export interface Call {
  /** Aborts at the deadline and when the runtime stops. Hand it to every request. */
  readonly signal: AbortSignal;
  /** When the call must be over, in Unix milliseconds. */
  readonly deadlineMs: number;
  /** The same for every repeat of the same step, different for every other step; at most 36 characters of `[A-Za-z0-9_-]`. */
  readonly idempotencyKey: string;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /**
   * Opens a file of the conversation that the call is about, by the id of the message's attachment. May be called again: each call
   * gives a new stream. Cancel a stream that you do not read to its end.
   *
   * @throws HandoverError `ATTACHMENT_NOT_FOUND` when the conversation has no such file, or has it no longer
   */
  readAttachment(id: string): Promise<AttachmentContent>;
  readonly logger: Logger;
  readonly tracer: Tracer;
}

/** What `start` has got done so far. */
export interface StartProgress {
  readonly references?: readonly Reference[];
  /** Anything that a later `start` needs to go on; it need not be the final state. */
  readonly state?: Json;
}

/** The call of `start`: it can save its progress. */
export interface StartCall extends Call {
  /**
   * Resolves once the progress is durable. Call it before a vendor call whose reference is known beforehand, and after each
   * step that must not be repeated. What is left out stays as it was.
   */
  checkpoint(progress: StartProgress): Promise<void>;
}
