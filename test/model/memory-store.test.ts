import type { Clock } from "@handover/core";
import { describe } from "vitest";
import { describeAmendments } from "../../packages/testkit/src/store-suite/amendments.ts";
import { describeAtomicity } from "../../packages/testkit/src/store-suite/atomicity.ts";
import { describeConcurrentWriters } from "../../packages/testkit/src/store-suite/concurrent-writers.ts";
import { describeCounters } from "../../packages/testkit/src/store-suite/counters.ts";
import { describeDuplicates } from "../../packages/testkit/src/store-suite/duplicates.ts";
import { describeHandoverRecords } from "../../packages/testkit/src/store-suite/handover-records.ts";
import { describeInbox } from "../../packages/testkit/src/store-suite/inbox.ts";
import { describeLeaseEnds } from "../../packages/testkit/src/store-suite/lease-ends.ts";
import { describeLeases } from "../../packages/testkit/src/store-suite/leases.ts";
import { describeLifecycle } from "../../packages/testkit/src/store-suite/lifecycle.ts";
import { describeMemory } from "../../packages/testkit/src/store-suite/memory.ts";
import { describeParking } from "../../packages/testkit/src/store-suite/parking.ts";
import { describeSignals } from "../../packages/testkit/src/store-suite/signals.ts";
import { describeTimers } from "../../packages/testkit/src/store-suite/timers.ts";
import type { OpenedStore, StoreSuiteOptions } from "../../packages/testkit/src/store-suite/use-store.ts";
import { describeValues } from "../../packages/testkit/src/store-suite/values.ts";
import { createMemoryData } from "./memory-data.ts";
import { createMemoryStore } from "./memory-store.ts";

// The model is only as good as its store. These are the groups of the published suite that the model builds on: it keeps no files
// and erases nothing.
const groups = [
  describeAtomicity,
  describeDuplicates,
  describeAmendments,
  describeCounters,
  describeConcurrentWriters,
  describeHandoverRecords,
  describeInbox,
  describeParking,
  describeLeases,
  describeLeaseEnds,
  describeTimers,
  describeMemory,
  describeValues,
  describeSignals,
  describeLifecycle,
];

for (const isShared of [false, true]) {
  const options: StoreSuiteOptions = { name: isShared ? "Shared memory" : "Memory", open: () => openStore(isShared) };
  describe(`${options.name} as the store of the model`, () => {
    for (const describeGroup of groups) describeGroup(options);
  });
}

async function openStore(isShared: boolean): Promise<OpenedStore> {
  let passedMs = 0;
  const clock: Clock = { now: () => Date.now() + passedMs };
  const data = createMemoryData(clock);
  const create = () => createMemoryStore({ data, ...(isShared ? { leaseClock: clock } : {}) });
  let store = create();
  async function another() {
    const second = create();
    await second.open();
    return second;
  }
  await store.open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await another();
      return store;
    },
    cleanup: () => store.close(),
    ...(isShared ? { another, passTime: async (ms: number) => void (passedMs += ms) } : { rival: create }),
  };
}
