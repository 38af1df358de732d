import type { HandoverRecord, AttemptRecord } from "../store/records.ts";
import type { ConnectionRegistry } from "../connections/connection-registry.ts";

/** The first step of a try at a connection: nothing was called yet. */
export function newAttempt(
  connections: ConnectionRegistry,
  options: { readonly number: number; readonly connection: string; readonly nowMs: number; readonly takesAfter: number },
): AttemptRecord {
  const { provider, handle } = connections.get(options.connection);
  return {
    number: options.number,
    connection: options.connection,
    provider: provider.name,
    accountKey: handle.accountKey,
    phase: "starting",
    sinceMs: options.nowMs,
    startCalls: 0,
    references: [],
    transcriptThrough: 0,
    liveThrough: options.takesAfter,
    released: {},
  };
}

/** The connection after the current attempt's that is still configured, if there is one. */
export function nextConnection(connections: ConnectionRegistry, handover: HandoverRecord): string | undefined {
  const later = handover.connections.slice(handover.connections.indexOf(handover.attempt.connection) + 1);
  return later.find((name) => connections.has(name));
}

/** True while nobody can say whether the vendor has carried out a start. */
export function isInDoubt(attempt: AttemptRecord): boolean {
  return attempt.phase === "in-doubt" || (attempt.phase === "starting" && attempt.doubtSinceMs !== undefined);
}

/** An attempt that is given up: ended in the background where it may have reached the vendor. */
export function leaveAttempt(attempt: AttemptRecord): AttemptRecord {
  if (attempt.phase === "over") return attempt;
  const hasReachedVendor = attempt.phase !== "starting" || mayHoldTicket(attempt) || attempt.callUntilMs !== undefined;
  return { ...attempt, phase: hasReachedVendor ? "leaving" : "over" };
}

/** True when a start that did not succeed may have got as far as a ticket: it is in doubt, or saved progress on its way. */
export function mayHoldTicket(attempt: AttemptRecord): boolean {
  return isInDoubt(attempt) || attempt.references.length > 0;
}
