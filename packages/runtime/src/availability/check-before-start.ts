import type { Connection } from "../connections/connection-registry.ts";
import { endpointOf } from "../endpoints.ts";
import type { Failure } from "../handover/give-way.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { isInDoubt, mayHoldTicket } from "../handover/attempts.ts";

/**
 * Asks whether somebody is there before the desk is called for the first time.
 * @returns why the attempt is given up; nothing when it may begin
 */
export async function checkBeforeStart(
  context: RuntimeContext,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  connection: Connection,
): Promise<Failure | undefined> {
  const { attempt } = handover;
  const rules = endpointOf(context.endpoints, conversation.endpoint).handover?.availability;
  if (!rules?.checkBeforeStart || attempt.startCalls > 0 || isInDoubt(attempt) || mayHoldTicket(attempt)) return undefined;
  const { status } = await context.availability.ask(connection, handover.options[connection.name] ?? {}, "fresh-no");
  if (status === "available" || (status === "unknown" && rules.whenUnknown === "start")) return undefined;
  return { reason: "unavailable", actor: "system", code: status === "unknown" ? "AVAILABILITY_UNKNOWN" : "NOBODY_AVAILABLE" };
}
