import type { RuntimeContext } from "../runtime-context.ts";
import type { HandoverRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { createSleeper } from "../support/sleeper.ts";

/** Makes workers look at open handovers, a few at a time: no more than their accounts get compared. */
export interface ComparisonFeed {
  /** Begins with the oldest id. Whoever is nudged compares by itself, if it has to. */
  feed(fits: (handover: HandoverRecord) => boolean): void;
  stop(): void;
}

const pageSize = 200;
/** So many are told at once, and no more while so many wait for their turn at their account. */
const portion = 50;

/** A feed over the handovers of the store. It ends by itself when it has told everybody. */
export function createComparisonFeed(context: RuntimeContext): ComparisonFeed {
  const sleeper = createSleeper(context.clock);
  let isStopped = false;

  function isCrowded({ attempt }: HandoverRecord): boolean {
    const { connections } = context;
    return connections.has(attempt.connection) && connections.get(attempt.connection).gate.waitingPolls >= portion;
  }

  async function feedAll(fits: (handover: HandoverRecord) => boolean): Promise<void> {
    let told = 0;
    for (let after: string | undefined; ;) {
      const page = await context.store.listOpenHandovers({ ...(after === undefined ? {} : { after }), limit: pageSize });
      for (const handover of page.filter(fits)) {
        if (told > 0 && told % portion === 0)
          do await sleeper.sleep(context.timing.pollMs);
          while (!isStopped && isCrowded(handover));
        if (isStopped) return;
        context.nudge(handover.conversation);
        told += 1;
      }
      after = page.at(-1)?.id;
      if (isStopped || after === undefined || page.length < pageSize) return;
    }
  }

  return {
    feed(fits) {
      feedAll(fits).catch((error: unknown) => {
        if (!isStopped) context.logger.error(`Open handovers could not be taken up: ${errorSummary(error)}`);
      });
    },
    stop() {
      isStopped = true;
      sleeper.wakeAll();
    },
  };
}
