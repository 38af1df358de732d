import type { RuntimeContext } from "./runtime-context.ts";
import { errorSummary } from "./support/describe-error.ts";

/** What is done for the store as a whole. */
export interface Housekeeping {
  /** Takes up every handover that was open when the last process ended, then sweeps now and then. */
  start(): Promise<void>;
  stop(): void;
}

const pageSize = 200;

/** Reconciles at start-up and forgets parked deliveries that nobody claimed. */
export function createHousekeeping(context: RuntimeContext): Housekeeping {
  let isRunning = false;
  let cancelSweep: (() => void) | undefined;

  async function sweep(): Promise<void> {
    try {
      const expired = await context.store.expireParked(context.clock.now() - context.timing.parkMs);
      for (const { connection } of expired) context.metrics.count("handover_deliveries_total", { connection, result: "expired" });
      if (expired.length > 0) {
        context.logger.info("Deliveries of conversations that nobody here knows were forgotten.", { count: expired.length });
      }
    } catch (error) {
      context.logger.error(`Parked deliveries could not be swept: ${errorSummary(error)}`);
    }
    if (isRunning) cancelSweep = context.clock.after(context.timing.parkMs / 4, () => void sweep());
  }

  return {
    async start() {
      isRunning = true;
      for (let after: string | undefined; ;) {
        const page = await context.store.listOpenHandovers({ ...(after === undefined ? {} : { after }), limit: pageSize });
        for (const handover of page) context.nudge(handover.conversation);
        after = page.at(-1)?.id;
        if (after === undefined || page.length < pageSize) break;
      }
      void sweep();
    },
    stop() {
      isRunning = false;
      cancelSweep?.();
    },
  };
}
