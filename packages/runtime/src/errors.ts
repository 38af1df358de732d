import { HandoverError } from "@handover/core";

/** Codes of errors that the runtime itself throws. */
export type RuntimeErrorCode =
  | "ENDPOINT_NOT_FOUND"
  | "CONNECTION_NOT_FOUND"
  | "INVALID_CONVERSATION"
  | "INVALID_MESSAGE"
  | "MESSAGE_EMPTY"
  | "MESSAGE_TOO_LONG"
  | "REDACTION_FAILED"
  | "TOO_MANY_WAITING"
  | "OVERLOADED"
  | "ATTACHMENT_TOO_LARGE"
  | "TOO_MANY_ATTACHMENTS"
  | "UNKNOWN_ATTACHMENT"
  | "ATTACHMENT_NOT_FOUND"
  | "ATTACHMENT_NOT_READY"
  | "ATTACHMENT_UNAVAILABLE"
  | "HANDOVER_NOT_CONFIGURED"
  | "CHANNEL_UNSUPPORTED"
  | "NO_HANDOVER"
  | "INVALID_SEQ"
  | "INVALID_SURVEY"
  | "SURVEY_NOT_FOUND"
  | "SURVEY_CLOSED"
  | "SURVEY_ANSWERED"
  | "HANDOVER_ENDING"
  | "STORE_IN_USE"
  | "STORE_READ_ONLY"
  | "STORE_NEWER"
  | "STORE_FAILED"
  | "NOT_RUNNING";

/** An error of the runtime or a store, recognised by `HandoverError.isInstance` and its code. */
export class RuntimeError extends HandoverError {
  declare readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options: { readonly cause?: unknown; readonly isRetryable?: boolean } = {}) {
    super({ code, message, ...options });
  }
}
