import { readView } from "../conversation/transact.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { isInDoubt } from "../handover/attempts.ts";
import { nextDelivery } from "../handover/inbox-order.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord, InboxRecord } from "../store/records.ts";
import { catchUp } from "./catch-up.ts";
import { finishTask, lastCatchUpTries } from "./finish-task.ts";
import { again, idle, idleUntil, type LaneScope, type LaneStep, type StepResult } from "./lane.ts";
import { timerTask } from "./timer-task.ts";
import { belongsTo, dropDeliveries, translateDelivery } from "./translate-task.ts";

const pageSize = 200;

/** From the inbox into the log: one delivery after the other, in the vendor's order; then timers; then the end. */
export function createVendorInStep(): LaneStep {
  /** Holes in dense groups that the vendor has been asked about: `<handover>/<group>/<released>`. */
  const askedHoles = new Set<string>();
  return async (scope) => {
    const { conversation, handover } = await readView(scope.context, scope.key);
    if (!conversation) return idle;
    const rows = await scope.context.store.readInbox(scope.key, pageSize);
    const times: (number | undefined)[] = [];
    let isSettling = false;
    for (const [id, own] of Map.groupBy(rows, (row) => row.handover)) {
      const record = handover?.id === id ? handover : await scope.context.store.readHandover(id);
      const result = await inboxTask(scope, conversation, record, own, askedHoles);
      if (result.again) return result;
      times.push(result.wakeAtMs);
      if (id === handover?.id) isSettling = result.wakeAtMs !== undefined && !handover.attempt.mustPull;
    }
    if (!handover) return idleUntil(...times);
    // A nudge may be the last thing that came.
    if (handover.attempt.mustPull && !rows.some((row) => row.handover === handover.id)) {
      const result = await inboxTask(scope, conversation, handover, [], askedHoles);
      if (result.again) return result;
      times.push(result.wakeAtMs);
    }
    // What waits in the inbox may be what a timer was waiting for.
    if (isSettling || isUnhealed(scope.context, handover)) return idleUntil(...times);
    const timer = await timerTask(scope, conversation, handover);
    if (timer.again) return timer;
    const isInboxEmpty = isSought(handover.attempt) || willNotStart(handover) || !rows.some((row) => row.handover === handover.id);
    const finish = isInboxEmpty ? await finishTask(scope, conversation, handover) : idle;
    if (finish.again) return finish;
    return idleUntil(...times, timer.wakeAtMs, finish.wakeAtMs);
  };
}

/** After a restart the vendor is asked what was missed before a timer that is due is believed. */
function isUnhealed(context: RuntimeContext, handover: HandoverRecord): boolean {
  if (!awaitsComparison(context, handover)) return false;
  return !context.connections.get(handover.attempt.connection).gate.isPaused;
}

/** This process has not yet learned from the vendor what happened before it came. */
function awaitsComparison(context: RuntimeContext, { attempt, status }: HandoverRecord): boolean {
  const isOpen = attempt.phase === "started" && status !== "ending" && status !== "ended";
  const isOthers = attempt.catchUp !== undefined && attempt.catchUp.by !== context.bootId && context.connections.has(attempt.connection);
  return isOpen && isOthers && context.accountChanges.needOf(attempt) !== "none";
}

/** What is told now waits for what was missed before, but not for a vendor that cannot be asked. */
function heldUntil(context: RuntimeContext, handover: HandoverRecord, rows: readonly InboxRecord[]): number | undefined {
  if (rows.length === 0 || !awaitsComparison(context, handover)) return undefined;
  return Math.min(...rows.map((row) => row.receivedAtMs)) + context.timing.callTimeoutMs;
}

async function inboxTask(
  scope: LaneScope,
  conversation: ConversationRecord,
  handover: HandoverRecord | undefined,
  rows: readonly InboxRecord[],
  askedHoles: Set<string>,
): Promise<StepResult> {
  if (!handover) return dropDeliveries(scope, rows, "unknown-handover");
  const { attempt } = handover;
  if (attempt.phase === "starting" || attempt.phase === "in-doubt") return idle;
  const { context } = scope;
  if (!context.connections.has(attempt.connection)) return dropDeliveries(scope, rows, "connection-not-found");
  if (isSought(attempt)) return idle;
  if (!attempt.state) return dropDeliveries(scope, rows, "never-started");
  const foreign = rows.filter((row) => !belongsTo(attempt, row));
  if (foreign.length > 0) return dropDeliveries(scope, foreign, "former-attempt");
  const heldUntilMs = heldUntil(context, handover, rows);
  if (heldUntilMs !== undefined && heldUntilMs > context.clock.now()) return idleUntil(heldUntilMs);
  if (attempt.mustPull && mayPull(handover)) return pull(scope, conversation, handover);
  const next = nextDelivery(rows, {
    nowMs: context.clock.now(),
    windowMs: context.timing.reorderWindowMs,
    released: attempt.released,
  });
  if (next.kind === "none") return idle;
  if (next.kind === "wait" || next.kind === "gap") return idleUntil(next.untilMs);
  if (next.skipped > 0) {
    const hole = `${handover.id}/${next.row.order?.group ?? ""}/${next.row.order?.position ?? 0}`;
    const { handle, gate } = context.connections.get(attempt.connection);
    if (handle.catchUp && !askedHoles.has(hole)) {
      const askUntilMs = next.row.receivedAtMs + context.timing.callTimeoutMs;
      const mayAsk = gate.mayCall(scope.key, "catchUp", "end");
      if (!mayAsk && context.clock.now() < askUntilMs) return idleUntil(askUntilMs);
      askedHoles.add(hole);
      const nowMs = context.clock.now();
      if (!mayAsk || (await catchUp(scope, conversation, handover, "end")) || nowMs >= askUntilMs) return again;
      // It could not be asked: once more, while there is time.
      askedHoles.delete(hole);
      return idleUntil(Math.min(askUntilMs, nowMs + context.timing.retryFirstMs * 5));
    }
    askedHoles.delete(hole);
    context.metrics.count("handover_deliveries_total", { connection: attempt.connection, result: "skipped" }, next.skipped);
  }
  await translateDelivery(scope, next.row, next.isLate);
  return again;
}

/** A start in doubt was given up, and what it may have made is looked for: deliveries say where it is. */
function isSought({ phase, state }: AttemptRecord): boolean {
  return phase === "leaving" && state === undefined;
}

/** It ends before its attempt has begun: what waits can only be of a former one, and is dropped once the end is shown. */
function willNotStart({ status, attempt }: HandoverRecord): boolean {
  return status === "ending" && attempt.phase === "starting" && attempt.callUntilMs === undefined && !isInDoubt(attempt);
}

/** A vendor that cannot be asked must not keep a handover from ending. */
function mayPull({ status, attempt }: HandoverRecord): boolean {
  if (status === "ended") return false;
  return status !== "ending" || (attempt.catchUp?.failures ?? 0) < lastCatchUpTries;
}

/** A delivery was only a nudge: what it points at is fetched before anything else is translated. */
async function pull(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const { attempt } = handover;
  const dueAtMs = attempt.catchUp?.failures ? attempt.catchUp.dueAtMs : 0;
  const { clock, connections, timing } = scope.context;
  if (dueAtMs > clock.now()) return idleUntil(dueAtMs);
  const mayAsk = connections.get(attempt.connection).gate.mayCall(scope.key, "catchUp", "end");
  // One that is ending asks in any case: it does so only a few times.
  if (!mayAsk && handover.status !== "ending") return idleUntil(clock.now() + timing.retryMaximumMs);
  await catchUp(scope, conversation, handover, "end");
  return again;
}
