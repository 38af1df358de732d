import type { EndActor, EndReason } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Endpoint } from "../endpoints.ts";
import { leaveAttempt, newAttempt, nextConnection } from "./attempts.ts";
import { changeAttempt, note, type Draft } from "./draft.ts";
import { beginEnding } from "./ending.ts";

/** Why an attempt is given up. */
export interface Failure {
  readonly reason: EndReason;
  readonly actor: EndActor;
  readonly code: string;
}

/**
 * Gives up the current attempt before it was active: the next connection is tried with the whole transcript, or the handover
 * ends. Never falls back from a start in doubt, which may still turn out to be a ticket.
 */
export function giveWay(context: RuntimeContext, draft: Draft, endpoint: Endpoint, failure: Failure): void {
  const { attempt, status } = draft.handover;
  const next = nextConnection(draft.handover);
  const isInDoubt = attempt.phase === "in-doubt";
  if (next !== undefined && !isInDoubt && status !== "ending") {
    note(draft, "fallback", { to: next, code: failure.code });
    return tryNext(context, draft, endpoint, next);
  }
  note(draft, "attempt-given-up", { code: failure.code });
  const hasStarted = attempt.phase === "started";
  beginEnding(draft, {
    ...failure,
    closedBy: hasStarted || isInDoubt ? "us" : "vendor",
    windowMs: hasStarted ? context.timing.reorderWindowMs : 0,
  });
  if (!hasStarted) changeAttempt(draft, { phase: isInDoubt ? "leaving" : "over" });
}

function tryNext(context: RuntimeContext, draft: Draft, endpoint: Endpoint, connection: string): void {
  const { handover, nowMs } = draft;
  const former = leaveAttempt(handover.attempt);
  const acceptTimeoutMs = endpoint.handover?.acceptTimeoutMs;
  draft.handover = {
    ...handover,
    agents: [],
    leaving: former.phase === "leaving" ? [...handover.leaving, former] : handover.leaving,
    attempt: newAttempt(context.connections, {
      number: handover.attempt.number + 1,
      connection,
      nowMs,
      takesAfter: handover.takesAfter,
    }),
    ...(acceptTimeoutMs === undefined ? {} : { acceptBeforeMs: nowMs + acceptTimeoutMs }),
  };
}
