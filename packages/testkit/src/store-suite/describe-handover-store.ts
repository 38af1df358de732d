import { describe } from "vitest";
import { describeAmendments } from "./amendments.ts";
import { describeAtomicity } from "./atomicity.ts";
import { describeBudget } from "./budget.ts";
import { describeBlobs } from "./blobs.ts";
import { describeConcurrentWriters } from "./concurrent-writers.ts";
import { describeCounters } from "./counters.ts";
import { describeDuplicates } from "./duplicates.ts";
import { describeErasure } from "./erasure.ts";
import { describeHandoverRecords } from "./handover-records.ts";
import { describeInbox } from "./inbox.ts";
import { describeLeaseEnds } from "./lease-ends.ts";
import { describeLeases } from "./leases.ts";
import { describeLifecycle } from "./lifecycle.ts";
import { describeMemory } from "./memory.ts";
import { describeParking } from "./parking.ts";
import { describeRetention } from "./retention.ts";
import { describeSignals } from "./signals.ts";
import { describeTimers } from "./timers.ts";
import { describeUpgrade } from "./upgrade.ts";
import { describeUsers } from "./users.ts";
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
    describeAmendments(options);
    describeCounters(options);
    describeConcurrentWriters(options);
    describeHandoverRecords(options);
    describeInbox(options);
    describeParking(options);
    describeLeases(options);
    describeLeaseEnds(options);
    describeTimers(options);
    describeMemory(options);
    describeBlobs(options);
    describeErasure(options);
    describeRetention(options);
    describeUsers(options);
    describeBudget(options);
    describeValues(options);
    describeSignals(options);
    describeLifecycle(options);
    describeUpgrade(options);
  });
}
