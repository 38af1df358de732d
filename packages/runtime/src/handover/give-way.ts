import type { EndActor, EndReason } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Endpoint } from "../endpoints.ts";
import { isInDoubt, leaveAttempt, newAttempt, nextConnection, mayHoldTicket } from "./attempts.ts";
import { omit } from "../support/omit.ts";
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
 * ends.
 */
export function giveWay(context: RuntimeContext, draft: Draft, endpoint: Endpoint, failure: Failure): void {
  if (fallBack(context, draft, endpoint, failure)) return;
  const { attempt } = draft.handover;
  const isDoubtful = mayHoldTicket(attempt);
  note(draft, "attempt-given-up", { code: failure.code });
  const hasStarted = attempt.phase === "started";
  beginEnding(draft, {
    ...failure,
    closedBy: hasStarted || isDoubtful ? "us" : "vendor",
    windowMs: hasStarted ? context.timing.reorderWindowMs : 0,
  });
  if (!hasStarted) changeAttempt(draft, { phase: isDoubtful ? "leaving" : "over" });
}

/**
 * Goes on at the next connection, if there is one and nobody was there yet. Never from a start in doubt, which may still turn
 * out to be a ticket. `isClosed`: the former connection has closed already.
 *
 * @returns whether it does
 */
export function fallBack(
  context: RuntimeContext,
  draft: Draft,
  endpoint: Endpoint,
  failure: { readonly code: string; readonly isClosed?: true },
): boolean {
  const { attempt, status, wasActive } = draft.handover;
  const next = nextConnection(context.connections, draft.handover);
  const isTooLate = wasActive === true || status === "ending" || status === "ended";
  if (next === undefined || isTooLate || isInDoubt(attempt)) return false;
  note(draft, "fallback", { to: next, code: failure.code });
  if (failure.isClosed) changeAttempt(draft, { phase: "over" });
  tryNext(context, draft, endpoint, next);
  return true;
}

function tryNext(context: RuntimeContext, draft: Draft, endpoint: Endpoint, connection: string): void {
  const { handover, nowMs } = draft;
  const former = leaveAttempt(handover.attempt);
  const acceptTimeoutMs = endpoint.handover?.acceptTimeoutMs;
  draft.handover = {
    // What the former desk said of its queue, or had yet to be told, is nothing to the next one.
    ...omit(handover, "queue", "optionsChange", "changeTries"),
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
