import type { RuntimeContext } from "../runtime-context.ts";
import type { LaneScope, LaneStep } from "../lanes/lane.ts";
import { errorCode, errorSummary } from "../support/describe-error.ts";
import { LeaseLostError } from "./transact.ts";

/** One lane of one conversation: runs its steps while there is something to do. */
export interface LaneLoop {
  readonly name: string;
  nudge(): void;
  /** No step runs and none is due before `wakeAtMs`. */
  readonly isIdle: boolean;
  readonly wakeAtMs: number | undefined;
  /** Since when a step runs, or has come no further; absent between steps. */
  readonly busySinceMs: number | undefined;
  /** No further step is begun; resolves when the running one is over. */
  stop(): Promise<void>;
}

/** Runs a lane. A step that throws is a fault of ours or of the store: it is tried again after a pause. */
export function createLaneLoop(
  parts: {
    readonly context: RuntimeContext;
    readonly scope: Omit<LaneScope, "progressed">;
    readonly name: string;
    readonly step: LaneStep;
  },
  events: { onIdle(): void; onLeaseLost(): void },
): LaneLoop {
  const { context, name, step } = parts;
  const scope: LaneScope = { ...parts.scope, progressed: () => void (busySinceMs = context.clock.now()) };
  let isNudged = false;
  let isStopping = false;
  let running: Promise<void> | undefined;
  let wakeAtMs: number | undefined;
  let cancelTimer: (() => void) | undefined;
  let failures = 0;
  let busySinceMs: number | undefined;

  function sleepUntil(timeMs: number | undefined): void {
    if (isStopping) return;
    wakeAtMs = timeMs;
    if (timeMs !== undefined) cancelTimer = context.clock.after(timeMs - context.clock.now(), nudge);
  }

  async function oneStep(): Promise<void> {
    try {
      // Whoever was stopped for longer than the lease does nothing before it has the conversation again.
      await scope.lease.hold(0);
      const result = await step(scope);
      failures = 0;
      if (result.again) isNudged = true;
      else if (!isNudged) sleepUntil(result.wakeAtMs);
    } catch (error) {
      if (error instanceof LeaseLostError) {
        isStopping = true;
        return events.onLeaseLost();
      }
      failures += 1;
      context.logger.error(`A lane failed and is tried again: ${errorSummary(error)}`, { lane: name, code: errorCode(error), failures });
      sleepUntil(context.clock.now() + Math.min(context.timing.retryMaximumMs, context.timing.retryFirstMs * 2 ** failures));
    }
  }

  async function run(): Promise<void> {
    while (isNudged && !isStopping) {
      isNudged = false;
      cancelTimer?.();
      wakeAtMs = undefined;
      busySinceMs = context.clock.now();
      await oneStep();
      busySinceMs = undefined;
    }
    running = undefined;
    if (!isStopping) events.onIdle();
  }

  function nudge(): void {
    isNudged = true;
    if (!running && !isStopping) running = run();
  }

  return {
    name,
    nudge,
    get isIdle() {
      return running === undefined;
    },
    get wakeAtMs() {
      return wakeAtMs;
    },
    get busySinceMs() {
      return busySinceMs;
    },
    async stop() {
      isStopping = true;
      cancelTimer?.();
      await running;
    },
  };
}
