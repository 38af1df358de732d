import { filesStep } from "../attachments/files-lane.ts";
import { changeStep } from "../changes/change-lane.ts";
import { botStep } from "../lanes/bot-lane.ts";
import { healStep } from "../lanes/heal.ts";
import type { LaneStep } from "../lanes/lane.ts";
import { leaveStep } from "../lanes/leave.ts";
import { createPushStep, type EntryListener } from "../lanes/push-lane.ts";
import { createVendorInStep } from "../lanes/vendor-in.ts";
import { createVendorOutStep } from "../lanes/vendor-out.ts";
import { presenceStep } from "../presence/presence-step.ts";
import { surveyStep } from "../survey/survey-step.ts";
import { queueStep } from "../queue/queue-lane.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Claim } from "../store/store.ts";
import { createLease } from "./lease.ts";
import { createLaneLoop } from "./lane-loop.ts";

/** A conversation that this instance works on. */
export interface Worker {
  readonly claim: Claim;
  /** The lane whose step has run longest, and since when; absent while none runs. */
  readonly busiest: { readonly lane: string; readonly sinceMs: number } | undefined;
  /** Something happened: every lane looks. */
  nudge(): void;
  /** Others wait for its place: it is given back as soon as all lanes are idle. @returns false while they are not */
  giveWay(): boolean;
  /** The store has kept the claim; see `HeldLease.renewed`. */
  renewed(askedAtMs: number): void;
  /** No further step is begun; resolves when the running ones are over. */
  stop(): Promise<void>;
  /** Somebody else has the conversation: no further step is begun, and calls that are under way are aborted. */
  abandon(): void;
}

/** How long a conversation without work stays with this instance. */
const keepMs = 2_000;

/**
 * Runs the lanes of one conversation. None waits for another. When all are idle for a moment the conversation is given back,
 * with the time at which it is due again.
 */
export function createWorker(
  context: RuntimeContext,
  claimed: { readonly claim: Claim; readonly owner: string; readonly askedAtMs: number },
  events: {
    readonly listener: () => EntryListener | undefined;
    /** `hasNews`: something happened while it was given back. */
    onReleased(hasNews: boolean): void;
    onLeaseLost(): void;
  },
): Worker {
  const { claim, owner } = claimed;
  const lease = createLease(context, owner, claimed);
  const scope = { context, key: claim.conversation, fence: claim.fence, lease };
  let isStopping = false;
  let isReleasing = false;
  let hasNews = false;
  let isInDemand = false;
  let cancelRelease: (() => void) | undefined;
  let activity = -1;

  const steps: Record<string, LaneStep> = {
    "vendor-out": createVendorOutStep(),
    "vendor-in": createVendorInStep(),
    heal: healStep,
    bot: botStep,
    push: createPushStep(events.listener),
    leave: leaveStep,
    queue: queueStep,
    change: changeStep,
    files: filesStep,
    presence: presenceStep,
    survey: surveyStep,
  };
  const lanes = Object.entries(steps).map(([name, step]) =>
    createLaneLoop({ context, scope, name, step }, { onIdle: scheduleRelease, onLeaseLost: events.onLeaseLost }),
  );

  function scheduleRelease(): void {
    if (isStopping || !lanes.every((lane) => lane.isIdle)) return;
    cancelRelease?.();
    cancelRelease = context.clock.after(isInDemand ? 0 : keepMs, () => void release());
  }

  function dueAtMs(): number | null {
    const times = lanes.map((lane) => lane.wakeAtMs).filter((time) => time !== undefined);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Released only after a pass of all lanes during which nothing happened: what they saw is all there is. */
  async function release(): Promise<void> {
    if (isStopping || !lanes.every((lane) => lane.isIdle)) return;
    try {
      const conversation = await context.store.readConversation(claim.conversation);
      const now = conversation?.activity ?? 0;
      if (now !== activity) {
        activity = now;
        for (const lane of lanes) lane.nudge();
        return;
      }
      if (!lanes.every((lane) => lane.isIdle)) return;
      // Only now: what another instance wrote must be seen also while something is always due soon.
      const due = dueAtMs();
      if (!isInDemand && due !== null && due - context.clock.now() < keepMs * 2) return scheduleRelease();
      if (await giveBack()) return events.onReleased(hasNews);
      for (const lane of lanes) lane.nudge();
    } catch {
      scheduleRelease();
    }
  }

  /** What happens meanwhile waits: it is not known yet who has to deal with it. */
  async function giveBack(): Promise<boolean> {
    isReleasing = true;
    hasNews = false;
    // Whatever the answer, and also without one.
    lease.doubt();
    try {
      return await context.store.release(claim, { activity, dueAtMs: dueAtMs() });
    } finally {
      isReleasing = false;
    }
  }

  async function stop(): Promise<void> {
    isStopping = true;
    cancelRelease?.();
    await Promise.all(lanes.map((lane) => lane.stop()));
  }

  return {
    claim,
    get busiest() {
      const busy = lanes.flatMap(({ name, busySinceMs }) => (busySinceMs === undefined ? [] : { lane: name, sinceMs: busySinceMs }));
      return busy.toSorted((left, right) => left.sinceMs - right.sinceMs)[0];
    },
    nudge() {
      hasNews = true;
      isInDemand = false;
      if (isReleasing) return;
      cancelRelease?.();
      for (const lane of lanes) lane.nudge();
    },
    giveWay() {
      if (isInDemand) return true;
      if (isStopping || isReleasing || !lanes.every((lane) => lane.isIdle)) return false;
      isInDemand = true;
      scheduleRelease();
      return true;
    },
    renewed: lease.renewed,
    stop,
    abandon() {
      lease.lose();
      void stop();
    },
  };
}
