import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ConversationGoneError, HandoverError, parseConfig, type HandoverChange, type Json, type User } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { LeaseLostError, readView } from "../conversation/transact.ts";
import { note, type Draft } from "../handover/draft.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode } from "../support/describe-error.ts";
import { omit } from "../support/omit.ts";

/** What a desk has not been told yet. */
interface Untold {
  readonly user?: User;
  readonly options?: Json;
}

/**
 * Tells the desk when the user's data or the options of a running handover have changed: once per change, and what changed several
 * times meanwhile once. Holds up no message; a desk that does not take it is left alone after a while.
 */
export async function changeStep(scope: LaneScope): Promise<StepResult> {
  const { context } = scope;
  const { conversation, handover } = await readView(context, scope.key);
  if (!conversation || !handover || !isRunning(handover) || !context.connections.has(handover.attempt.connection)) return idle;
  const connection = context.connections.get(handover.attempt.connection);
  const untold = findUntold(conversation, handover);
  if (!connection.handle.updateHandover || !untold) return idle;
  const nowMs = context.clock.now();
  const { nextTryAtMs = 0 } = handover.changeTries ?? {};
  if (nextTryAtMs > nowMs) return idleUntil(nextTryAtMs);
  if (!connection.gate.mayCall(scope.key, "updateHandover", "end")) return idleUntil(nowMs + context.timing.catchUpIntervalMs);
  await tell(scope, { conversation, handover, connection, untold });
  return again;
}

function isRunning({ status, attempt }: HandoverRecord): boolean {
  return attempt.phase === "started" && (status === "queued" || status === "active");
}

function findUntold(conversation: ConversationRecord, handover: HandoverRecord): Untold | undefined {
  const { user } = conversation;
  const isOther = user !== undefined && !isDeepStrictEqual(user, handover.user);
  if (!isOther && handover.optionsChange === undefined) return undefined;
  return { ...(isOther ? { user } : {}), ...(handover.optionsChange === undefined ? {} : { options: handover.optionsChange }) };
}

async function tell(
  scope: LaneScope,
  given: {
    readonly conversation: ConversationRecord;
    readonly handover: HandoverRecord;
    readonly connection: Connection;
    readonly untold: Untold;
  },
): Promise<void> {
  const { handover, connection, untold } = given;
  try {
    const view = toProviderHandover(given.conversation, handover, handover.attempt, connection);
    await callVendor(
      scope.context,
      {
        connection,
        method: "updateHandover",
        priority: "end",
        idempotencyKey: changeKey(handover, untold),
        attempt: (handover.changeTries?.calls ?? 0) + 1,
        lease: scope.lease,
        // Not every desk lets everybody do that: it must not hold up messages.
        isBeside: true,
      },
      async (call, handle) => handle.updateHandover?.(view, toChange(connection, untold), call),
    );
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    return failed(scope, handover, untold, error);
  }
  await settle(scope, handover, untold);
}

/** The same for a repeat only: what has changed again since the last try is another change. At most 36 characters. */
function changeKey({ id, changesTold = 0 }: HandoverRecord, untold: Untold): string {
  const digest = createHash("sha256").update(JSON.stringify(untold)).digest("base64url").slice(0, 6);
  return `${id}-u${changesTold + 1}-${digest}`;
}

function toChange(connection: Connection, { user, options }: Untold): HandoverChange {
  return {
    ...(user ? { user } : {}),
    ...(options === undefined
      ? {}
      : { options: parseConfig(connection.provider.options, options, `The options for "${connection.name}"`) }),
  };
}

/** From now on the desk knows: what has changed since is the next change. */
async function settle(scope: LaneScope, { id, attempt }: HandoverRecord, untold: Untold, givenUp?: string): Promise<void> {
  await changeHandover(scope, id, (draft) => {
    if (draft.handover.attempt.number !== attempt.number) return undefined;
    if (givenUp !== undefined) note(draft, "change-not-told", { code: givenUp });
    keepTold(draft, untold);
    return {};
  });
}

function keepTold(draft: Draft, { user, options }: Untold): void {
  const handover = omit(draft.handover, "changeTries");
  const isToldAll = isDeepStrictEqual(handover.optionsChange, options);
  draft.handover = {
    ...(isToldAll ? omit(handover, "optionsChange") : handover),
    changesTold: (handover.changesTold ?? 0) + 1,
    ...(user ? { user } : {}),
    ...(options === undefined ? {} : { options: { ...handover.options, [handover.attempt.connection]: options } }),
  };
}

async function failed(scope: LaneScope, handover: HandoverRecord, untold: Untold, error: unknown): Promise<void> {
  const { context } = scope;
  const { calls = 0, firstAtMs = context.clock.now() } = handover.changeTries ?? {};
  const nextTryAtMs = context.clock.now() + pauseAfter(calls + 1, context.timing, context.random, error);
  const isHopeless =
    HandoverError.isInstance(error) && (ConversationGoneError.isInstance(error) || !(error.isRetryable || error.effect === "connection"));
  const isOver = nextTryAtMs > firstAtMs + context.timing.messageRetryMs && !context.stopSignal.aborted;
  if (isHopeless || isOver) {
    context.metrics.count("handover_changes_failed_total", { connection: handover.attempt.connection });
    return settle(scope, handover, untold, errorCode(error));
  }
  await changeHandover(scope, handover.id, (draft) => {
    if (draft.handover.attempt.number !== handover.attempt.number) return undefined;
    draft.handover = { ...draft.handover, changeTries: { calls: calls + 1, firstAtMs, nextTryAtMs } };
    return {};
  });
}
