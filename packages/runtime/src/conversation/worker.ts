import { botStep } from "../lanes/bot-lane.ts";
import { healStep } from "../lanes/heal.ts";
import type { LaneScope, LaneStep } from "../lanes/lane.ts";
import { leaveStep } from "../lanes/leave.ts";
import { createPushStep, type EntryListener } from "../lanes/push-lane.ts";
import { createVendorInStep } from "../lanes/vendor-in.ts";
import { createVendorOutStep } from "../lanes/vendor-out.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Claim } from "../store/store.ts";
import { createLaneLoop } from "./lane-loop.ts";

/** A conversation that this instance works on. */
export interface Worker {
  readonly claim: Claim;
  /** Something happened: every lane looks. */
  nudge(): void;
  /** No further step is begun; resolves when the running ones are over. */
  stop(): Promise<void>;
}

/** How long a conversation without work stays with this instance. */
const keepMs = 2_000;

/**
 * Runs the lanes of one conversation. None waits for another. When all are idle for a moment the conversation is given back,
 * with the time at which it is due again.
 */
export function createWorker(
  context: RuntimeContext,
  claim: Claim,
  events: { readonly listener: () => EntryListener | undefined; onReleased(): void; onLeaseLost(): void },
): Worker {
  const scope: LaneScope = { context, key: claim.conversation, fence: claim.fence };
  let isStopping = false;
  let cancelRelease: (() => void) | undefined;
  let activity = -1;

  const steps: Record<string, LaneStep> = {
    "vendor-out": createVendorOutStep(),
    "vendor-in": createVendorInStep(),
    heal: healStep,
    bot: botStep,
    push: createPushStep(events.listener),
    leave: leaveStep,
  };
  const lanes = Object.entries(steps).map(([name, step]) =>
    createLaneLoop({ context, scope, name, step }, { onIdle: scheduleRelease, onLeaseLost: events.onLeaseLost }),
  );

  function scheduleRelease(): void {
    if (isStopping || !lanes.every((lane) => lane.isIdle)) return;
    cancelRelease?.();
    cancelRelease = context.clock.after(keepMs, () => void release());
  }

  function dueAtMs(): number | null {
    const times = lanes.map((lane) => lane.wakeAtMs).filter((time) => time !== undefined);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Released only after a pass of all lanes during which nothing happened: what they saw is all there is. */
  async function release(): Promise<void> {
    if (isStopping || !lanes.every((lane) => lane.isIdle)) return;
    const due = dueAtMs();
    if (due !== null && due - context.clock.now() < keepMs * 2) return scheduleRelease();
    try {
      const conversation = await context.store.readConversation(claim.conversation);
      const now = conversation?.activity ?? 0;
      if (now !== activity) {
        activity = now;
        for (const lane of lanes) lane.nudge();
        return;
      }
      if (!lanes.every((lane) => lane.isIdle)) return;
      if (await context.store.release(claim, { activity, dueAtMs: dueAtMs() })) events.onReleased();
      else for (const lane of lanes) lane.nudge();
    } catch {
      scheduleRelease();
    }
  }

  return {
    claim,
    nudge() {
      cancelRelease?.();
      for (const lane of lanes) lane.nudge();
    },
    async stop() {
      isStopping = true;
      cancelRelease?.();
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}
