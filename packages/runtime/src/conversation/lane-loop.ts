import type { RuntimeContext } from "../runtime-context.ts";
import type { LaneScope, LaneStep } from "../lanes/lane.ts";
import { errorCode, errorSummary } from "../support/describe-error.ts";
import { LeaseLostError } from "./transact.ts";

/** One lane of one conversation: runs its steps while there is something to do. */
export interface LaneLoop {
  nudge(): void;
  /** No step runs and none is due before `wakeAtMs`. */
  readonly isIdle: boolean;
  readonly wakeAtMs: number | undefined;
  /** No further step is begun; resolves when the running one is over. */
  stop(): Promise<void>;
}

/** Runs a lane. A step that throws is a fault of ours or of the store: it is tried again after a pause. */
export function createLaneLoop(
  parts: { readonly context: RuntimeContext; readonly scope: LaneScope; readonly name: string; readonly step: LaneStep },
  events: { onIdle(): void; onLeaseLost(): void },
): LaneLoop {
  const { context, scope, name, step } = parts;
  let isNudged = false;
  let isStopping = false;
  let running: Promise<void> | undefined;
  let wakeAtMs: number | undefined;
  let cancelTimer: (() => void) | undefined;
  let failures = 0;

  function sleepUntil(timeMs: number | undefined): void {
    wakeAtMs = timeMs;
    if (timeMs !== undefined) cancelTimer = context.clock.after(timeMs - context.clock.now(), nudge);
  }

  async function oneStep(): Promise<void> {
    try {
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
      await oneStep();
    }
    running = undefined;
    if (!isStopping) events.onIdle();
  }

  function nudge(): void {
    isNudged = true;
    if (!running && !isStopping) running = run();
  }

  return {
    nudge,
    get isIdle() {
      return running === undefined;
    },
    get wakeAtMs() {
      return wakeAtMs;
    },
    async stop() {
      isStopping = true;
      cancelTimer?.();
      await running;
    },
  };
}
