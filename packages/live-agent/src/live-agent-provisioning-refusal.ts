import { HandoverError, ProviderApiError } from "@handover/core";

/** Runs a step; its error says which one was refused, and what helps. */
export async function refusedAs<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (!ProviderApiError.isInstance(cause)) throw cause;
    throw new HandoverError({
      code: cause.code,
      message: [`Live Agent did not make ${what}.`, cause.message, cureOf(cause)].filter((part) => part !== "").join(" "),
      isRetryable: cause.isRetryable,
      effect: "connection",
      outcome: cause.outcome,
      cause,
    });
  }
}

/** What the error itself does not say. */
function cureOf(error: ProviderApiError): string {
  if (error.status === 404)
    return "The installation may not have this call, or not allow it: make it by hand, and give accountId, apiKey or inboxId.";
  if (error.status === 422) return "It does not accept the values: try another organisation, userEmail or inboxName.";
  return "";
}
