import type { Aim, AimPoint } from "./aim.ts";
import type { Killer } from "./killer.ts";
import type { LaneName, Side } from "./lanes.ts";
import type { StatusPage } from "./status-page.ts";

/** Watches what a host does and writes it down at each step, so that whoever finds it dead knows where it was. */
export interface Observer {
  /** Runs a call of the vendor, the bot or the push channel for a lane. */
  call<Result>(lane: LaneName, conversation: string, name: string, run: () => Promise<Result>): Promise<Result>;
  /** Runs a write of a lane. `isAnnouncement`: it says that the vendor is about to be called. */
  commit<Result>(lane: LaneName, conversation: string, run: () => Promise<Result>, isAnnouncement?: boolean): Promise<Result>;
  /** A lane works towards a commit. */
  works(lane: LaneName, conversation: string): void;
  readonly out: Set<string>;
  readonly in: Set<string>;
  /** From now on the aim counts. */
  take(aim: Aim | undefined): void;
}

interface Slot {
  side: Side;
}

/** How long a lane whose call has come back may take until its commit, before it counts as idle. */
const lingerMs = 20;
/** After that time, of which none passes while it is frozen, a process that was to be frozen has been. */
const thawMs = 200;

/** Makes an observer. It only looks; the one thing it does is to kill or freeze this process where it is told to. */
export function createObserver(page: StatusPage, killer: Killer): Observer {
  const slots = new Map<string, Slot>();
  const calls = new Map<string, number>();
  const waiting = { out: new Set<string>(), in: new Set<string>() };
  let aim: Aim | undefined;
  let passes = 0;
  /** The point at which this process is being killed or frozen. */
  let reached: string | undefined;
  let isFrozen = false;

  function count(): { lanes: Record<string, number>; out: number; in: number } {
    const lanes: Record<string, number> = {};
    const active = { out: 0, in: 0 };
    for (const [key, { side }] of slots) {
      const lane = key.slice(0, key.indexOf("|")) as LaneName;
      const name = `${lane}/${side}`;
      lanes[name] = (lanes[name] ?? 0) + 1;
      if (side === "after") continue;
      if (lane === "vendor-out" || lane === "accept") active.out += 1;
      if (lane === "vendor-in" || lane === "webhook") active.in += 1;
    }
    return { lanes, out: active.out + waiting.out.size, in: active.in + waiting.in.size };
  }

  function write(): void {
    page.write({
      pid: process.pid,
      ...count(),
      calls: Object.fromEntries(calls),
      ...(reached === undefined ? {} : { aim: reached }),
      ...(isFrozen ? { isFrozen: true as const } : {}),
    });
  }

  function set(lane: LaneName, conversation: string, side: Side): Slot {
    const slot = { side };
    slots.set(`${lane}|${conversation}`, slot);
    write();
    return slot;
  }

  /** Takes the slot away if nothing else has happened in it. */
  function clear(lane: LaneName, conversation: string, slot: Slot): void {
    const key = `${lane}|${conversation}`;
    if (slots.get(key) !== slot) return;
    slots.delete(key);
    write();
  }

  function linger(lane: LaneName, conversation: string, slot: Slot): void {
    setTimeout(() => clear(lane, conversation, slot), lingerMs).unref();
  }

  function isHit(lane: LaneName, point: AimPoint): boolean {
    if (aim?.lane !== lane || aim.point !== point) return false;
    const { out, in: incoming } = count();
    if (out === 0 || incoming === 0) return false;
    passes += 1;
    return passes > aim.skip;
  }

  function pass(lane: LaneName, point: AimPoint): void {
    if (!aim || !isHit(lane, point)) return;
    const signal = mark(aim, lane, point);
    process.kill(process.pid, signal);
  }

  function passInside(lane: LaneName, point: AimPoint): void {
    if (!aim || !isHit(lane, point)) return;
    const { delayMs } = aim;
    killer.signalIn(delayMs, mark(aim, lane, point));
  }

  /** Writes down what is about to happen; who is frozen goes on without an aim. */
  function mark({ does }: Aim, lane: LaneName, point: AimPoint): "SIGKILL" | "SIGSTOP" {
    reached = `${lane}/${point}`;
    isFrozen = does === "freeze";
    aim = undefined;
    write();
    if (!isFrozen) return "SIGKILL";
    setTimeout(() => {
      reached = undefined;
      isFrozen = false;
      write();
    }, thawMs).unref();
    return "SIGSTOP";
  }

  return {
    out: waiting.out,
    in: waiting.in,
    take(next) {
      aim = next;
      passes = 0;
      write();
    },
    works(lane, conversation) {
      linger(lane, conversation, set(lane, conversation, "before"));
    },
    async call(lane, conversation, name, run) {
      const slot = set(lane, conversation, "before");
      pass(lane, "before-call");
      calls.set(name, (calls.get(name) ?? 0) + 1);
      write();
      const running = run();
      passInside(lane, "in-call");
      try {
        return await running;
      } finally {
        calls.set(name, (calls.get(name) ?? 1) - 1);
        if (calls.get(name) === 0) calls.delete(name);
        write();
        pass(lane, "after-call");
        linger(lane, conversation, slot);
      }
    },
    async commit(lane, conversation, run, isAnnouncement = false) {
      set(lane, conversation, "before");
      pass(lane, "before-commit");
      set(lane, conversation, "in");
      const running = run();
      passInside(lane, "in-commit");
      if (isAnnouncement) passInside(lane, "in-announcement");
      try {
        return await running;
      } finally {
        const slot = set(lane, conversation, "after");
        pass(lane, "after-commit");
        if (isAnnouncement) pass(lane, "after-announcement");
        setImmediate(() => clear(lane, conversation, slot));
      }
    },
  };
}
