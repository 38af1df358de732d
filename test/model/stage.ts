/** What kind of thing a task is: a schedule may hold one kind back. */
export const taskKinds = [
  "read",
  "write",
  "written",
  "vendor-call",
  "vendor-answer",
  "webhook",
  "bot-turn",
  "bot-answer",
  "client",
  "hint",
] as const;
export type TaskKind = (typeof taskKinds)[number];

/** One thing that can happen next. */
interface Task {
  /** Whose it is: a process, or `outside`. Those of a process go with it. */
  readonly owner: string;
  readonly kind: TaskKind;
  readonly run: () => void;
}

interface Timer {
  readonly owner: string;
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
}

/** How the tasks of one stretch are chosen: 0 is first come, first served; any other number is a seed. */
export type Order = number;

/** Everything that can happen, one thing after the other, in an order that a seed decides; and the time. */
export interface Stage {
  now(): number;
  add(owner: string, kind: TaskKind, run: () => void): void;
  /** @returns how to take the timer away */
  after(owner: string, delayMs: number, run: () => void): () => void;
  /** Runs tasks until none can run, or `picks` were run, or one of the kind `until` was. */
  run(how: { readonly order: Order; readonly picks?: number; readonly until?: TaskKind }): Promise<void>;
  /** Moves the time on. It moves only while nothing can run. Stops early when `isOver` says so. */
  advance(byMs: number, order: Order, isOver?: () => boolean): Promise<void>;
  /** Nothing of the owner ever happens again, whoever still calls it. */
  kill(owner: string): void;
  /** Nothing of the owner happens until it is thawed; the time goes on without it. */
  freeze(owner: string): void;
  thaw(owner: string): void;
  /** True when the owner has something to do that does not wait for time. */
  isBusy(owner?: string): boolean;
  readonly picked: number;
}

const startMs = Date.UTC(2026, 0, 1);
/** A run that needs more than this does not come to rest. */
const maximumPicks = 40_000;

/** An empty stage. `isBroken` ends every run at once: something is wrong already. */
export function createStage(isBroken: () => boolean): Stage {
  let nowMs = startMs;
  let tasks: Task[] = [];
  let timers: Timer[] = [];
  const frozen = new Set<string>();
  const dead = new Set<string>();
  let lastNumber = 0;
  let picked = 0;

  async function settle(): Promise<void> {
    // All that runs here runs on promises alone: after one turn of the event loop nothing is left to go on by itself.
    await new Promise((resolve) => setImmediate(resolve));
  }

  function candidates(): Task[] {
    return frozen.size === 0 ? tasks : tasks.filter((task) => !frozen.has(task.owner));
  }

  async function runOne(pick: (from: readonly Task[]) => Task): Promise<TaskKind | undefined> {
    const from = candidates();
    if (from.length === 0 || isBroken()) return undefined;
    picked += 1;
    if (picked > maximumPicks) throw new Error(`The runtime does not come to rest: ${maximumPicks} steps were not enough.`);
    const task = pick(from);
    tasks.splice(tasks.indexOf(task), 1);
    task.run();
    await settle();
    return task.kind;
  }

  function nextTimer(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs > untilMs || frozen.has(timer.owner)) continue;
      if (!next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.number < next.number)) next = timer;
    }
    return next;
  }

  const stage: Stage = {
    now: () => nowMs,
    add(owner, kind, run) {
      if (!dead.has(owner)) tasks.push({ owner, kind, run });
    },
    after(owner, delayMs, run) {
      const timer: Timer = { owner, atMs: nowMs + Math.max(0, delayMs), number: (lastNumber += 1), run };
      if (!dead.has(owner)) timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
    async run({ order, picks = Infinity, until }) {
      await settle();
      const pick = createPicker(order);
      for (let count = 0; count < picks; count += 1) {
        const kind = await runOne(pick);
        if (kind === undefined || kind === until) return;
      }
    },
    async advance(byMs, order, isOver = () => false) {
      const untilMs = nowMs + byMs;
      for (;;) {
        await stage.run({ order });
        if (isBroken() || isOver()) return;
        const timer = nextTimer(untilMs);
        if (!timer) break;
        timers.splice(timers.indexOf(timer), 1);
        nowMs = Math.max(nowMs, timer.atMs);
        timer.run();
      }
      nowMs = untilMs;
    },
    kill(owner) {
      dead.add(owner);
      tasks = tasks.filter((task) => task.owner !== owner);
      timers = timers.filter((timer) => timer.owner !== owner);
    },
    freeze: (owner) => void frozen.add(owner),
    thaw: (owner) => void frozen.delete(owner),
    isBusy: (owner) => tasks.some((task) => owner === undefined || task.owner === owner),
    get picked() {
      return picked;
    },
  };
  return stage;
}

/** Chooses by the seed among all tasks, and holds one kind of them (or none) back as long as there are others. */
function createPicker(order: Order): (from: readonly Task[]) => Task {
  if (order === 0) return (from) => from[0]!;
  const random = createDice(order);
  const heldBack = taskKinds[Math.floor(random() * taskKinds.length * 2)];
  return (from) => {
    const preferred = heldBack ? from.filter(({ kind }) => kind !== heldBack) : from;
    const among = preferred.length > 0 ? preferred : from;
    return among[Math.floor(random() * among.length)]!;
  };
}

/** Numbers from 0 up to 1 that depend on the seed alone (mulberry32). */
export function createDice(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
