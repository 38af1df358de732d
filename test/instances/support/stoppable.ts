import type { HandoverProvider } from "@handover/core";
import type { RuntimeClock, Store } from "@handover/runtime";

type AnyFunction = (...given: unknown[]) => unknown;

/** A call of the store or the vendor that a process made. */
export interface MadeCall {
  /** `store.commit`, `vendor.sendMessage`. */
  readonly name: string;
  readonly given: readonly unknown[];
  readonly atMs: number;
}

/**
 * What SIGSTOP and SIGCONT do to a process, for a runtime in this one. While it is stopped nothing of it goes on: what it has sent is
 * carried out, but the answers, the hints and the timers wait. Afterwards answers come before timers, as they do in Node.
 */
export interface StoppableProcess {
  readonly clock: RuntimeClock;
  readonly isStopped: boolean;
  /** Everything that it asked the store and the vendor for. */
  readonly calls: readonly MadeCall[];
  store(inner: Store): Store;
  provider(inner: HandoverProvider): HandoverProvider;
  stop(): void;
  goOn(): void;
  /** Stops it when a call has been carried out that fits, before it learns of it; or, with `before`, before it is carried out. Resolves then. */
  stopAt(fits: (call: MadeCall) => boolean, when?: "before" | "after"): Promise<MadeCall>;
  /** Resolves when a call is made that fits; nothing is stopped. */
  nextCall(fits: (call: MadeCall) => boolean): Promise<MadeCall>;
}

/** So long a process that was woken up is busy with what it has received, before its timers go off. */
const readingMs = 50;

interface Trap {
  readonly fits: (call: MadeCall) => boolean;
  readonly when: "before" | "after";
  readonly isStop: boolean;
  spring(call: MadeCall): void;
}

/** A process that runs by the given clock; default: the machine's. */
export function createStoppable(now: () => number = Date.now): StoppableProcess {
  const calls: MadeCall[] = [];
  const traps = new Set<Trap>();
  let stopped: PromiseWithResolvers<undefined> | undefined;
  let held: (() => void)[] = [];

  function whenRunning(callback: () => void): void {
    if (stopped) held.push(() => whenRunning(callback));
    else callback();
  }

  function check(call: MadeCall, when: Trap["when"]): void {
    for (const trap of traps) {
      if (trap.when !== when || !trap.fits(call)) continue;
      traps.delete(trap);
      if (trap.isStop) stop();
      trap.spring(call);
    }
  }

  function stop(): void {
    stopped ??= Promise.withResolvers();
  }

  async function whileStopped(): Promise<void> {
    while (stopped) await stopped.promise;
  }

  function watched(name: string, inner: AnyFunction): AnyFunction {
    return async (...given) => {
      const call = { name, given, atMs: now() };
      check(call, "before");
      await whileStopped();
      calls.push({ ...call, atMs: now() });
      try {
        return await inner(...given);
      } finally {
        check(call, "after");
        await whileStopped();
      }
    };
  }

  const atOnce = new Set(["publish", "translate", "planMessage", "recognizeUserMessage", "close"]);

  function watchedMethods<Target extends object>(prefix: string, target: Target): Target {
    const entries = Object.entries(target).map(([name, value]: [string, unknown]) => {
      if (typeof value !== "function") return [name, value];
      if (name === "watch" || name === "subscribe") return [name, listening(value as AnyFunction)];
      return [name, atOnce.has(name) ? value : watched(`${prefix}.${name}`, value as AnyFunction)];
    });
    return Object.fromEntries(entries) as Target;
  }

  /** The last function that it gets is told nothing while the process is stopped. */
  function listening(inner: AnyFunction): AnyFunction {
    return (...given) => {
      const listener = given.pop() as AnyFunction;
      return inner(...given, (...told: unknown[]) => whenRunning(() => void listener(...told)));
    };
  }

  return {
    calls,
    get isStopped() {
      return stopped !== undefined;
    },
    clock: {
      now,
      after(delayMs, callback) {
        let isCancelled = false;
        const timer = setTimeout(
          () =>
            whenRunning(() => {
              if (!isCancelled) callback();
            }),
          Math.max(0, delayMs),
        );
        timer.unref();
        return () => {
          isCancelled = true;
          clearTimeout(timer);
        };
      },
    },
    store: (inner) => watchedMethods("store", inner),
    provider: (inner) => ({
      ...inner,
      connect: (settings, context) => watchedMethods("vendor", inner.connect(settings, context)),
    }),
    stop,
    goOn() {
      const going = stopped;
      const timers = held;
      stopped = undefined;
      held = [];
      going?.resolve(undefined);
      setTimeout(() => {
        for (const timer of timers) timer();
      }, readingMs);
    },
    stopAt: (fits, when = "after") => new Promise((resolve) => traps.add({ fits, when, isStop: true, spring: resolve })),
    nextCall: (fits) => new Promise((resolve) => traps.add({ fits, when: "before", isStop: false, spring: resolve })),
  };
}
