import { ProviderApiError, type LogFields } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorCode } from "./describe-error.ts";

/** What belongs to a log line about something that failed at a vendor: enough to find it here, and with the vendor's support. */
export function failureFields(
  { connections }: Pick<RuntimeContext, "connections">,
  where: { readonly handover: string; readonly connection: string },
  failure: { readonly code: string } | { readonly error: unknown; readonly code?: string },
): LogFields {
  const error = "error" in failure ? failure.error : undefined;
  const reference = ProviderApiError.isInstance(error) ? error.vendorReferenceId : undefined;
  return {
    handover: where.handover,
    connection: where.connection,
    ...(connections.has(where.connection) ? { provider: connections.get(where.connection).provider.name } : {}),
    code: failure.code ?? errorCode(error),
    ...(reference === undefined ? {} : { vendorReference: reference }),
  };
}
