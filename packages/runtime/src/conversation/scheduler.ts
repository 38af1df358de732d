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
}

const maximumWorkers = 1_000;

/** A scheduler of one process: it claims conversations that are due or were nudged, up to a number of workers. */
export function createScheduler(context: RuntimeContext, listener: () => EntryListener | undefined): Scheduler {
  const owner = randomId(context.random);
  const workers = new Map<string, Worker>();
  const wanted = new Set<string>();
  const claims = createKeyedMutex();
  let isRunning = false;
  let claiming: Promise<void> | undefined;
  let cancelPoll: (() => void) | undefined;
  let cancelRenewal: (() => void) | undefined;

  function addWorker(claim: Claim): void {
    const key = claim.conversation;
    const remove = () => {
      if (workers.get(key)?.claim.fence === claim.fence) workers.delete(key);
      if (wanted.size > 0) claimSoon();
    };
    const worker = createWorker(context, claim, {
      listener,
      onReleased: () => {
        void worker.stop();
        remove();
      },
      onLeaseLost: () => {
        void worker.stop();
        remove();
      },
    });
    workers.set(key, worker);
    worker.nudge();
  }

  /** One claim after the other: a second claim of the same conversation would take it away from its own worker. */
  function claim(keys: readonly string[] | undefined): Promise<void> {
    return claims.run("claim", () => claimNow(keys));
  }

  async function claimNow(keys: readonly string[] | undefined): Promise<void> {
    const limit = maximumWorkers - workers.size;
    const only = keys?.filter((key) => !workers.has(key));
    if (limit <= 0 || only?.length === 0) return;
    const { store, clock, timing } = context;
    const claimed = await store.claim({ owner, leaseMs: timing.leaseMs, nowMs: clock.now(), limit, ...(only ? { only } : {}) });
    for (const one of claimed) if (isRunning) addWorker(one);
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
    if (wanted.size > 0) claimSoon();
    if (isRunning) cancelPoll = context.clock.after(context.timing.pollMs, () => void poll());
  }

  async function renew(): Promise<void> {
    const held = [...workers.values()].map((worker) => worker.claim);
    try {
      const lost = held.length > 0 ? await context.store.renew(held, owner, context.timing.leaseMs, context.clock.now()) : [];
      for (const key of lost) {
        void workers.get(key)?.stop();
        workers.delete(key);
      }
    } catch (error) {
      context.logger.error(`Claims could not be renewed: ${errorSummary(error)}`);
    }
    if (isRunning) cancelRenewal = context.clock.after(context.timing.leaseMs / 3, () => void renew());
  }

  return {
    nudge(key) {
      const worker = workers.get(key);
      if (worker) return worker.nudge();
      if (!isRunning) return;
      wanted.add(key);
      claimSoon();
    },
    start() {
      isRunning = true;
      void poll();
      void renew();
    },
    async stop() {
      isRunning = false;
      cancelPoll?.();
      cancelRenewal?.();
      await claiming;
      await claims.run("claim", () => Promise.resolve());
      const stopping = [...workers.values()];
      await Promise.all(stopping.map((worker) => worker.stop()));
      // Given back as due at once: whoever comes next looks for itself.
      await Promise.allSettled(stopping.map((worker) => giveBack(context, worker.claim)));
      workers.clear();
    },
    get workerCount() {
      return workers.size;
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
