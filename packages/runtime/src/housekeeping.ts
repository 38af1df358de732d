import { eraseUnusedFiles } from "./attachments/orphans.ts";
import type { ComparisonFeed } from "./connections/comparison-feed.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { HandoverRecord } from "./store/records.ts";
import { errorSummary } from "./support/describe-error.ts";

/** What is done for the store as a whole. */
export interface Housekeeping {
  /** Takes up the handovers that were open when the last process ended, a few at a time, then sweeps now and then. */
  start(): void;
  stop(): void;
}

const erasuresAtATime = 20;
/** How often files are looked for that are in no message. */
const unusedFilesMs = 60 * 60 * 1000;

/** Reconciles at start-up, forgets parked deliveries that nobody claimed, and erases what must not be kept. */
export function createHousekeeping(context: RuntimeContext, feed: ComparisonFeed): Housekeeping {
  let isRunning = false;
  let cancelSweep: (() => void) | undefined;
  let unusedFilesAtMs = Infinity;

  /** What waits to be erased, and what is too old. */
  async function eraseDue(): Promise<void> {
    const { retention, store, clock } = context;
    const beforeMs = retention && clock.now() - retention.contentMs;
    while (isRunning && (await store.eraseDue({ limit: erasuresAtATime, ...(beforeMs === undefined ? {} : { beforeMs }) })) > 0);
  }

  async function sweep(): Promise<void> {
    try {
      const expired = await context.store.expireParked(context.clock.now() - context.timing.parkMs);
      for (const { connection } of expired) context.metrics.count("handover_deliveries_total", { connection, result: "expired" });
      if (expired.length > 0) {
        context.logger.info("Deliveries of conversations that nobody here knows were forgotten.", { count: expired.length });
      }
      await eraseDue();
      if (context.clock.now() >= unusedFilesAtMs) {
        await eraseUnusedFiles(context);
        unusedFilesAtMs = context.clock.now() + unusedFilesMs;
      }
    } catch (error) {
      if (isRunning) context.logger.error(`The store could not be swept: ${errorSummary(error)}`);
    }
    if (isRunning) cancelSweep = context.clock.after(context.timing.parkMs / 4, () => void sweep());
  }

  return {
    start() {
      isRunning = true;
      // Not with the first sweep: at start-up there is more urgent work.
      unusedFilesAtMs = context.clock.now() + 1;
      context.accountChanges.start();
      // Where an account says what changed, only that is taken up, by itself.
      feed.feed((handover) => !isComparable(handover) || context.accountChanges.needOf(handover.attempt) === "each");
      void sweep();
    },
    stop() {
      isRunning = false;
      context.accountChanges.stop();
      feed.stop();
      cancelSweep?.();
    },
  };
}

function isComparable({ attempt, status }: HandoverRecord): boolean {
  return attempt.phase === "started" && attempt.catchUp !== undefined && status !== "ending" && status !== "ended";
}
