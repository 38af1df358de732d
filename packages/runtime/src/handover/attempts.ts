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

/** The connection after the current attempt's, if there is one. */
export function nextConnection(handover: HandoverRecord): string | undefined {
  return handover.connections[handover.connections.indexOf(handover.attempt.connection) + 1];
}

/** True while an ended or replaced attempt may still hold a conversation at the vendor. */
export function hasLooseEnds(attempt: AttemptRecord): boolean {
  return attempt.phase !== "over";
}

/** An attempt that is given up: ended in the background where it may have reached the vendor. */
export function leaveAttempt(attempt: AttemptRecord): AttemptRecord {
  const reachedVendor = attempt.phase === "started" || attempt.phase === "in-doubt" || attempt.callUntilMs !== undefined;
  return { ...attempt, phase: reachedVendor ? "leaving" : "over" };
}
