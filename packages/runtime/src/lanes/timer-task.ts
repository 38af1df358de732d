import { endpointOf } from "../endpoints.ts";
import { beginEnding } from "../handover/ending.ts";
import { giveWay } from "../handover/give-way.ts";
import { silenceTask } from "../inactivity/silence-task.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { changeHandover } from "./change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";
import { translateWake } from "./translate-task.ts";

/** The handover's durable timers: the provider's own, the time to be accepted, the time of a detached handover, and those of silence. */
export async function timerTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  const nowMs = scope.context.clock.now();
  const { attempt } = handover;
  if (handover.status === "ending") return idle;
  if (attempt.wakeAtMs !== undefined && attempt.wakeAtMs <= nowMs) {
    await translateWake(scope, handover.id, { wake: true, atMs: attempt.wakeAtMs });
    return again;
  }
  const acceptBeforeMs = isWaiting(handover) ? handover.acceptBeforeMs : undefined;
  if (acceptBeforeMs !== undefined && acceptBeforeMs <= nowMs) return acceptTimedOut(scope, conversation, handover.id);
  if (attempt.detachAtMs !== undefined && attempt.detachAtMs <= nowMs) return detach(scope, handover.id);
  const silence = await silenceTask(scope, conversation, handover);
  return silence.again ? silence : idleUntil(attempt.wakeAtMs, acceptBeforeMs, attempt.detachAtMs, silence.wakeAtMs);
}

function isWaiting(handover: HandoverRecord): boolean {
  const isDetached = handover.attempt.relay === "none";
  return !isDetached && (handover.status === "requested" || handover.status === "queued");
}

async function acceptTimedOut(scope: LaneScope, conversation: ConversationRecord, handoverId: string): Promise<StepResult> {
  const endpoint = endpointOf(scope.context.endpoints, conversation.endpoint);
  await changeHandover(scope, handoverId, (draft) => {
    if (!isWaiting(draft.handover)) return undefined;
    if (draft.handover.attempt.phase === "starting" && draft.handover.attempt.callUntilMs !== undefined) {
      // The start is running: its outcome decides what has to be ended at the vendor.
      beginEnding(draft, { reason: "timed-out", actor: "system", code: "ACCEPT_TIMEOUT", closedBy: "us", windowMs: 0 });
    } else giveWay(scope.context, draft, endpoint, { reason: "timed-out", actor: "system", code: "ACCEPT_TIMEOUT" });
    return {};
  });
  return again;
}

async function detach(scope: LaneScope, handoverId: string): Promise<StepResult> {
  await changeHandover(scope, handoverId, (draft) => {
    beginEnding(draft, { reason: "completed", actor: "system", code: "DETACHED", closedBy: "us", windowMs: 0 });
    return {};
  });
  return again;
}
