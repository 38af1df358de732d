import { HandoverError, ProviderApiError } from "@handover/core";

/** The stable code of an error; what is not ours is `UNEXPECTED_ERROR`. */
export function errorCode(error: unknown): string {
  return HandoverError.isInstance(error) ? error.code : "UNEXPECTED_ERROR";
}

/** What may be logged of an error: our own messages hold no secret and no user text, those of strangers might. */
export function errorSummary(error: unknown): string {
  if (HandoverError.isInstance(error)) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/**
 * True when the vendor itself has answered the call: it is over, and cannot arrive any more. A gateway that gives up says nothing
 * about what stands behind it.
 */
export function isAnswered(error: unknown): boolean {
  if (!ProviderApiError.isInstance(error) || error.status === undefined) return false;
  return error.status <= 501 && error.status !== 408;
}
