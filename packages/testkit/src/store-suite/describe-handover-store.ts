import { describe } from "vitest";
import { describeAtomicity } from "./atomicity.ts";
import { describeConcurrentWriters } from "./concurrent-writers.ts";
import { describeCounters } from "./counters.ts";
import { describeDuplicates } from "./duplicates.ts";
import { describeHandoverRecords } from "./handover-records.ts";
import { describeInbox } from "./inbox.ts";
import { describeLeases } from "./leases.ts";
import { describeLifecycle } from "./lifecycle.ts";
import { describeMemory } from "./memory.ts";
import { describeParking } from "./parking.ts";
import { describeSignals } from "./signals.ts";
import type { StoreSuiteOptions } from "./use-store.ts";
import { describeValues } from "./values.ts";

/**
 * What every store has to do, as vitest tests. Call it at the top of a test file. Each test opens a store of its own and cleans
 * it up; no test waits for time to pass.
 */
export function describeHandoverStore(options: StoreSuiteOptions): void {
  describe(`${options.name} as a handover store`, () => {
    describeAtomicity(options);
    describeDuplicates(options);
    describeCounters(options);
    describeConcurrentWriters(options);
    describeHandoverRecords(options);
    describeInbox(options);
    describeParking(options);
    describeLeases(options);
    describeMemory(options);
    describeValues(options);
    describeSignals(options);
    describeLifecycle(options);
  });
}
