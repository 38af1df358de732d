import { RuntimeError } from "../errors.ts";

/** A foreign conversation's file looks like one that never was. */
export function attachmentNotFound(): RuntimeError {
  return new RuntimeError(
    "ATTACHMENT_NOT_FOUND",
    "The conversation has no such file. Check the id; a file that was erased is gone for good.",
  );
}

/** The desk has not given the file yet. */
export function attachmentNotReady(cause?: unknown): RuntimeError {
  return new RuntimeError(
    "ATTACHMENT_NOT_READY",
    "The file is not here yet: it is still being fetched from the contact centre. Try again soon.",
    {
      isRetryable: true,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** It was tried for long enough, or there is no use in trying. */
export function attachmentUnavailable(code: string): RuntimeError {
  return new RuntimeError(
    "ATTACHMENT_UNAVAILABLE",
    `The file could not be fetched from the contact centre (${code}), and is not tried again. Ask for it to be sent once more.`,
  );
}
