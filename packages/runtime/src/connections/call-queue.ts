import type { RuntimeClock, Timing } from "../options.ts";
import { callPriorities, type CallPriority } from "./call-priority.ts";
import type { CallWindow } from "./call-window.ts";
import type { RateBudget, Waiter } from "./rate-budget.ts";

/** Conversations that wait for a call of an account: the most urgent first, then whoever came first. */
export interface CallQueue {
  /** True when it is this one's turn, and what it needs of the budget has been taken. */
  takeTurn(waiter: Waiter): boolean;
  /** True when nobody who waits goes before. */
  isNext(waiter: Waiter): boolean;
  /** Takes the calls of the budget that the waiter needs. */
  pay(waiter: Waiter): boolean;
  wait(waiter: Waiter): void;
  /** Lets those go who may now. */
  offer(): void;
  /** The next look, unless there is an earlier one. */
  offerAt(timeMs: number): void;
  /** Calls that were promised to somebody who has not begun yet. */
  offered(): { readonly all: number; readonly polls: number };
  count(priority: CallPriority): number;
  readonly isEmpty: boolean;
  close(): void;
}

interface QueueParts {
  readonly clock: RuntimeClock;
  readonly timing: Timing;
  readonly budget: RateBudget | undefined;
  readonly window: CallWindow;
  nudge(key: string): void;
  /** During a pause: until when nobody may call, not even to try. */
  blockedUntilMs(): number | undefined;
}

/** Whoever was nudged and did not call by then has lost its turn. */
const turnMs = 1_000;

/** An empty queue of one account in this process. */
export function createCallQueue({ clock, timing, budget, window, nudge, blockedUntilMs }: QueueParts): CallQueue {
  const waiting: Record<CallPriority, Map<string, Waiter>> = { message: new Map(), end: new Map(), poll: new Map() };
  const turns = new Map<string, { readonly waiter: Waiter; readonly untilMs: number }>();
  let timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  let isShort = false;
  let isRefilling = false;
  let refillAtMs = 0;
  let isClosed = false;

  const idOf = ({ key, priority }: Waiter): string => `${priority} ${key}`;
  const isEmpty = (): boolean => callPriorities.every((priority) => waiting[priority].size === 0);

  function* everybody(): Generator<Waiter> {
    for (const priority of callPriorities) yield* waiting[priority].values();
  }

  function endTurns(): void {
    const nowMs = clock.now();
    for (const [id, { waiter, untilMs }] of turns) {
      // In the order of their beginning, so the first that still lasts is the end of it.
      if (untilMs > nowMs) return;
      turns.delete(id);
      budget?.giveBack(waiter.cost);
    }
  }

  function offered(): { all: number; polls: number } {
    endTurns();
    let polls = 0;
    for (const { waiter } of turns.values()) if (waiter.priority === "poll") polls += 1;
    return { all: turns.size, polls };
  }

  function offerAt(timeMs: number): void {
    if (isClosed || (timer && timer.atMs <= timeMs)) return;
    timer?.cancel();
    const wake = (): void => {
      timer = undefined;
      offer();
    };
    timer = { atMs: timeMs, cancel: clock.after(Math.max(1, timeMs - clock.now()), wake) };
  }

  function offer(): void {
    if (isClosed) return;
    if (isEmpty()) {
      timer?.cancel();
      timer = undefined;
      return;
    }
    const blockedMs = blockedUntilMs();
    if (blockedMs !== undefined) return offerTry(blockedMs);
    const needsRefill = !offerTurns();
    if (needsRefill) void refill();
    if (!isEmpty()) offerAt(needsRefill ? Math.max(refillAtMs, clock.now() + 1) : clock.now() + timing.retryFirstMs);
  }

  /** During a pause one after the other is told to try: whoever was first may have nothing to call any more. */
  function offerTry(blockedMs: number): void {
    if (clock.now() < blockedMs) return offerAt(blockedMs);
    const [first] = everybody();
    if (!first) return;
    waiting[first.priority].delete(first.key);
    nudge(first.key);
    offerAt(clock.now() + timing.retryFirstMs);
  }

  /** @returns false when the budget does not reach */
  function offerTurns(): boolean {
    for (const waiter of everybody()) {
      // Whoever comes later is less urgent, and finds no room either.
      if (!window.hasRoom(waiter.priority, offered())) return true;
      if (budget && !budget.take(waiter)) return false;
      waiting[waiter.priority].delete(waiter.key);
      turns.set(idOf(waiter), { waiter, untilMs: clock.now() + turnMs });
      nudge(waiter.key);
    }
    return true;
  }

  async function refill(): Promise<void> {
    if (!budget || isRefilling || clock.now() < refillAtMs) return;
    isRefilling = true;
    try {
      const againAtMs = await budget.refill(everybody());
      // Not once for every single call that is free again.
      refillAtMs = againAtMs > clock.now() ? Math.max(againAtMs, clock.now() + timing.retryFirstMs) : 0;
    } catch {
      // The store does not answer: what needs it says so, and nothing is called meanwhile.
      refillAtMs = clock.now() + timing.pollMs;
    }
    isRefilling = false;
    offer();
  }

  return {
    takeTurn(waiter) {
      endTurns();
      return turns.delete(idOf(waiter));
    },
    isNext(waiter) {
      for (const priority of callPriorities) {
        if (waiting[priority].size > 0) return false;
        if (priority === waiter.priority) return true;
      }
      return true;
    },
    pay(waiter) {
      isShort = budget !== undefined && !budget.take(waiter);
      return !isShort;
    },
    wait(waiter) {
      waiting[waiter.priority].set(waiter.key, waiter);
      offerAt(Math.max(blockedUntilMs() ?? 0, clock.now() + timing.retryFirstMs));
      if (!isShort) return;
      isShort = false;
      void refill();
    },
    offer,
    offerAt,
    offered,
    count: (priority) => waiting[priority].size,
    get isEmpty() {
      return isEmpty();
    },
    close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
