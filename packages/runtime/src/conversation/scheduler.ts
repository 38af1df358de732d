import type { EntryListener } from "../lanes/push-lane.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Claim } from "../store/store.ts";
import { errorSummary } from "../support/describe-error.ts";
import { createKeyedMutex } from "../support/mutex.ts";
import { randomId } from "../support/system-random.ts";
import { createWorker, type Worker } from "./worker.ts";

/** Brings conversations that have work to do and workers together. */
export interface Scheduler {
  /** Makes somebody look at the conversation soon. */
  nudge(key: string): void;
  start(): void;
  /** Lets every worker finish its step and gives all conversations back. */
  stop(): Promise<void>;
  readonly workerCount: number;
  /** Conversations in which a step has not come back for half of the time after which it is given up. */
  readonly stalledCount: number;
}

/** So many idle workers are asked to give way at once. */
const placesAtOnce = 100;

/** A scheduler of one process: it claims conversations that are due or were nudged, up to a number of workers. */
export function createScheduler(context: RuntimeContext, listener: () => EntryListener | undefined): Scheduler {
  const owner = randomId(context.random);
  const workers = new Map<string, Worker>();
  const wanted = new Set<string>();
  const claims = createKeyedMutex();
  const maximumWorkers = context.limits.conversationsAtOnce;
  let isRunning = false;
  let claiming: Promise<void> | undefined;
  let cancelPoll: (() => void) | undefined;
  let isRenewing = false;
  let renewAtMs = 0;
  let cancelRenewal: (() => void) | undefined;
  let cancelWatch: (() => void) | undefined;

  function addWorker(claim: Claim, askedAtMs: number): void {
    const key = claim.conversation;
    // A claim that had run out was taken again: what was begun under the former one is over.
    const former = workers.get(key);
    if (former) abandon(former);
    const worker = createWorker(
      context,
      { claim, owner, askedAtMs },
      {
        listener,
        onReleased: (hasNews) => {
          abandon(worker);
          if (hasNews) want(key);
        },
        onLeaseLost: () => abandon(worker),
      },
    );
    workers.set(key, worker);
    worker.nudge();
  }

  /** The conversation is not this worker's any more. */
  function abandon(worker: Worker): void {
    const key = worker.claim.conversation;
    if (workers.get(key) === worker) workers.delete(key);
    worker.abandon();
    if (wanted.size > 0) claimSoon();
  }

  function want(key: string): void {
    if (!isRunning) return;
    wanted.add(key);
    makeRoom(wanted.size);
    claimSoon();
  }

  /** Conversations that only wait give way to those that have something to do. */
  function makeRoom(places: number): void {
    let missing = workers.size < maximumWorkers ? 0 : Math.min(places, placesAtOnce);
    for (const worker of workers.values()) {
      if (missing === 0) return;
      if (worker.giveWay()) missing -= 1;
    }
  }

  /** One claim after the other: a second claim of the same conversation would take it away from its own worker. */
  function claim(keys: readonly string[] | undefined): Promise<void> {
    return claims.run("claim", () => claimNow(keys));
  }

  async function claimNow(keys: readonly string[] | undefined): Promise<void> {
    const limit = Math.max(0, maximumWorkers - workers.size);
    const missing = keys?.filter((key) => !workers.has(key));
    const only = missing?.slice(0, limit);
    // Others have taken their places while they waited here; that they were nudged may be written down nowhere.
    for (const key of missing?.slice(limit) ?? []) wanted.add(key);
    if (limit === 0 || only?.length === 0) return;
    const { store, clock, timing } = context;
    // After a long stop, claims that have run out are kept if nobody took them, and not claimed anew from workers that have them.
    if (clock.now() >= renewAtMs) await renewHeld();
    const askedAtMs = clock.now();
    const claimed = await store.claim({ owner, leaseMs: timing.leaseMs, nowMs: askedAtMs, limit, ...(only ? { only } : {}) });
    for (const one of claimed) {
      if (isRunning) addWorker(one, askedAtMs);
      // It stops since it asked: whoever comes next need not wait for the lease to end.
      else await giveBack(context, one);
    }
  }

  async function claimWanted(): Promise<void> {
    while (wanted.size > 0 && isRunning && workers.size < maximumWorkers) {
      const keys = [...wanted].slice(0, Math.min(100, maximumWorkers - workers.size));
      for (const key of keys) wanted.delete(key);
      try {
        await claim(keys);
      } catch (error) {
        for (const key of keys) wanted.add(key);
        throw error;
      }
    }
  }

  function claimSoon(): void {
    if (claiming || !isRunning) return;
    claiming = Promise.resolve()
      .then(claimWanted)
      .then(() => true, cannotAsk)
      .then((hasWorked) => {
        claiming = undefined;
        // After an error the next poll goes on.
        if (hasWorked && wanted.size > 0 && workers.size < maximumWorkers) claimSoon();
      });
  }

  function cannotAsk(error: unknown): false {
    context.logger.error(`The store could not be asked for work: ${errorSummary(error)}`);
    return false;
  }

  async function poll(): Promise<void> {
    await claim(undefined).catch(cannotAsk);
    // Something else may be due.
    makeRoom(placesAtOnce);
    if (wanted.size > 0) claimSoon();
    if (isRunning) cancelPoll = context.clock.after(context.timing.pollMs, () => void poll());
  }

  async function renew(): Promise<void> {
    await renewHeld().catch((error: unknown) => context.logger.error(`Claims could not be renewed: ${errorSummary(error)}`));
    if (isRenewing) cancelRenewal = context.clock.after(Math.max(0, renewAtMs - context.clock.now()), () => void renew());
  }

  /** Again after a third of the lease, or soon when the store could not be asked. */
  async function renewHeld(): Promise<void> {
    const { store, clock, timing } = context;
    const held = [...workers.values()];
    const askedAtMs = clock.now();
    renewAtMs = askedAtMs + timing.leaseMs / 3;
    if (held.length === 0) return;
    try {
      const claims = held.map((worker) => worker.claim);
      const lost = new Set(await store.renew(claims, owner, timing.leaseMs, askedAtMs));
      for (const worker of held) {
        if (lost.has(worker.claim.conversation)) abandon(worker);
        else worker.renewed(askedAtMs);
      }
    } catch (error) {
      renewAtMs = clock.now() + timing.leaseMs / 30;
      throw error;
    }
  }

  function stalled(forMs: number): [string, Worker][] {
    const beforeMs = context.clock.now() - forMs;
    return [...workers].filter(([, { busiest }]) => busiest !== undefined && busiest.sinceMs <= beforeMs);
  }

  /** What hangs is left behind with its worker, and the conversation claimed anew: nothing that comes back later can write. */
  function watch(): void {
    for (const [key, worker] of stalled(context.timing.stallMs)) {
      const lane = worker.busiest?.lane ?? "";
      context.logger.error("A conversation stood still and is taken up anew.", { lane, code: "CONVERSATION_STALLED" });
      context.metrics.count("handover_stalls_total", { lane });
      wanted.add(key);
      abandon(worker);
    }
    if (wanted.size > 0) claimSoon();
    cancelWatch = context.clock.after(context.timing.stallMs / 4, watch);
  }

  return {
    nudge(key) {
      const worker = workers.get(key);
      if (worker) worker.nudge();
      else want(key);
    },
    start() {
      isRunning = true;
      isRenewing = true;
      void poll();
      void renew();
      cancelWatch = context.clock.after(context.timing.stallMs / 4, watch);
    },
    async stop() {
      isRunning = false;
      cancelPoll?.();
      cancelWatch?.();
      await claiming;
      await claims.run("claim", () => Promise.resolve());
      const stopping = [...workers.values()];
      await Promise.all(stopping.map((worker) => worker.stop()));
      // Not before: what is finished now is finished under a lease.
      isRenewing = false;
      cancelRenewal?.();
      // Given back as due at once: whoever comes next looks for itself.
      await Promise.allSettled(stopping.map((worker) => giveBack(context, worker.claim)));
      workers.clear();
    },
    get workerCount() {
      return workers.size;
    },
    get stalledCount() {
      return stalled(context.timing.stallMs / 2).length;
    },
  };
}

/** Another instance may write in between: then the release is refused, and tried again. */
async function giveBack(context: RuntimeContext, claim: Claim): Promise<void> {
  for (;;) {
    const conversation = await context.store.readConversation(claim.conversation);
    if (!conversation) return;
    if (await context.store.release(claim, { activity: conversation.activity, dueAtMs: context.clock.now() })) return;
  }
}
