import type { Limits, RuntimeClock } from "../options.ts";
import type { CallPriority } from "./call-priority.ts";

/** How many calls of an account are under way at once. */
export interface CallWindow {
  /** @param offered calls that were promised to somebody who has not begun yet, of all priorities and of the lowest */
  hasRoom(priority: CallPriority, offered: { readonly all: number; readonly polls: number }): boolean;
  /** Somebody was let through and calls in a moment. */
  admit(priority: CallPriority): void;
  begin(priority: CallPriority): WindowCall;
  /** The vendor cannot be reached: one at a time from now on, whatever else is still under way. */
  close(): void;
  /** A call succeeded: one more at once. */
  widen(): void;
}

/** A call that is under way. */
interface WindowCall {
  readonly wasAdmitted: boolean;
  /** It began after the window was closed last. */
  isCurrent(): boolean;
  end(): void;
}

/** Whoever was let through and does not call after all is forgotten after so long. */
const admissionMs = 2_000;

/** A window as wide as the limits allow; after an outage it opens step by step, so that the vendor is not run over again. */
export function createCallWindow(clock: RuntimeClock, limits: Limits): CallWindow {
  let width = limits.callsPerAccount;
  let generation = 0;
  let running = { all: 0, polls: 0 };
  let admitted: { readonly isPoll: boolean; readonly untilMs: number }[] = [];

  function forgetAdmissions(): void {
    const nowMs = clock.now();
    if (admitted.some(({ untilMs }) => untilMs <= nowMs)) admitted = admitted.filter(({ untilMs }) => untilMs > nowMs);
  }

  return {
    hasRoom(priority, offered) {
      forgetAdmissions();
      if (running.all + admitted.length + offered.all >= width) return false;
      const polls = running.polls + admitted.filter(({ isPoll }) => isPoll).length + offered.polls;
      return priority !== "poll" || polls < limits.comparisonsPerAccount;
    },
    admit(priority) {
      forgetAdmissions();
      admitted.push({ isPoll: priority === "poll", untilMs: clock.now() + admissionMs });
    },
    begin(priority) {
      const isPoll = priority === "poll";
      const index = admitted.findIndex((admission) => admission.isPoll === isPoll);
      if (index >= 0) admitted.splice(index, 1);
      const mine = generation;
      const change = (by: number): void => {
        if (mine === generation) running = { all: running.all + by, polls: running.polls + (isPoll ? by : 0) };
      };
      change(1);
      return { wasAdmitted: index >= 0, isCurrent: () => mine === generation, end: () => change(-1) };
    },
    close() {
      width = 1;
      generation += 1;
      running = { all: 0, polls: 0 };
      admitted = [];
    },
    widen() {
      width = Math.min(limits.callsPerAccount, width + 1);
    },
  };
}
