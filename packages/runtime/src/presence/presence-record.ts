import type { Connection } from "../connections/connection-registry.ts";
import { endpointOf } from "../endpoints.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationRecord, HandoverRecord, PresenceRecord } from "../store/records.ts";

/** What the desk of the current attempt was told. */
export function presenceOf({ presence, attempt }: HandoverRecord): PresenceRecord | undefined {
  return presence?.attempt === attempt.number ? presence : undefined;
}

/** The desk takes a user for present who asked for people. */
export function firstPresence({ attempt }: HandoverRecord): PresenceRecord {
  return { attempt: attempt.number, isPresent: true, changes: 0 };
}

/** False where no desk can be told: then nobody needs to look. */
export function canAnybodyListen({ connections }: RuntimeContext): boolean {
  return connections.names.some((name) => connections.get(name).handle.setUserPresence !== undefined);
}

/** The connection whose desk is to know whether the user is there, while it wants to know. */
export function presenceListener(
  context: RuntimeContext,
  conversation: ConversationRecord,
  { attempt, status }: HandoverRecord,
): Connection | undefined {
  const isRunning = attempt.phase === "started" && (status === "queued" || status === "active");
  if (!isRunning || !context.connections.has(attempt.connection)) return undefined;
  const connection = context.connections.get(attempt.connection);
  const isWanted = wantsToKnow(context, conversation, true) || wantsToKnow(context, conversation, false);
  return connection.handle.setUserPresence && isWanted ? connection : undefined;
}

/** Whether the desk is told of a change in this direction. */
export function wantsToKnow(context: RuntimeContext, { endpoint }: ConversationRecord, isPresent: boolean): boolean {
  const people = endpointOf(context.endpoints, endpoint).handover;
  return (isPresent ? people?.connectsMessage : people?.disconnectsMessage) ?? true;
}
