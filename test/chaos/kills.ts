import { createAims } from "./host/aim.ts";
import type { HostSlot } from "./host/host-slot.ts";
import { between, pause, type Random } from "./load/random.ts";
import { chaosTiming, type ScenarioRun } from "./scenario-run.ts";
import { countKill, type Totals } from "./totals.ts";

interface Killing {
  readonly run: ScenarioRun;
  readonly slots: readonly HostSlot[];
  readonly totals: Totals;
  readonly random: Random;
  readonly isOver: () => boolean;
}

/** How long a host may live that was told to kill itself at a point that does not come. */
const aimPatienceMs = 4_000;
/** How long a host may take until it works in both directions. */
const workPatienceMs = 10_000;

/** Ends hosts in the scenario's way until the load is over. All of them run then. */
export async function runKills(killing: Killing): Promise<void> {
  const { run, slots } = killing;
  if (run.scenario.kills === "rolling") return rollOver(killing);
  const aims = createAims(killing.random);
  await Promise.all(slots.map((slot) => killAgainAndAgain(killing, slot, aims)));
}

async function killAgainAndAgain(killing: Killing, slot: HostSlot, nextAim: ReturnType<typeof createAims>): Promise<void> {
  const { run, slots, totals, random, isOver } = killing;
  // Who comes back alone on a shared store waits for the leases of who died before it.
  const leaseMs = run.scenario.store === "postgres" && slots.length === 1 ? chaosTiming.leaseMs : 0;
  let hasAim = false;
  while (!isOver()) {
    await waitUnlessGone(slot, isOver, leaseMs);
    await waitUnlessGone(slot, isOver, workPatienceMs, isBusy);
    // Several hosts together die as often as one alone.
    await waitUnlessGone(slot, isOver, hasAim ? aimPatienceMs : between(random, 200, 1_500) * slots.length);
    await waitUnlessGone(slot, isOver, workPatienceMs, isBusy);
    if (slot.isRunning && isOver()) break;
    if (slot.isRunning && run.scenario.kills === "sigstop" && random() < 0.4) {
      await freeze(killing, slot);
      continue;
    }
    countKill(totals, slot.isRunning ? await slot.kill() : slot.lastStatus());
    // Some deaths are noticed late.
    if (random() < 0.2) await pause(between(random, 100, 1_000));
    hasAim = !isOver() && random() < 0.65;
    await slot.start(hasAim ? nextAim() : undefined);
  }
  // Who comes to the verification must not have an aim any more.
  if (slot.isRunning && !hasAim) return;
  countKill(totals, slot.isRunning ? await slot.kill() : slot.lastStatus());
  await slot.start();
}

/** Deliveries are under way in both directions. */
function isBusy(slot: HostSlot): boolean {
  const status = slot.lastStatus();
  return status !== undefined && status.out > 0 && status.in > 0;
}

/** Others take over what it holds; then it goes on as if nothing had been. */
async function freeze({ totals, random }: Killing, slot: HostSlot): Promise<void> {
  slot.pause();
  totals.stops += 1;
  const { leaseMs } = chaosTiming;
  await pause(between(random, leaseMs * 1.2, leaseMs * 2.2));
  slot.resume();
}

/** Stops one after the other as an operator does, and starts each again before the next. */
async function rollOver({ slots, totals, random, isOver }: Killing): Promise<void> {
  while (!isOver()) {
    for (const slot of slots) {
      if (isOver()) return;
      await slot.stop();
      totals.restarts += 1;
      await slot.start();
      await waitUnlessGone(slot, isOver, between(random, 300, 1_500));
    }
  }
}

/** Waits for a time, or until what is waited for is there; not for a host that is gone. */
async function waitUnlessGone(
  slot: HostSlot,
  isOver: () => boolean,
  milliseconds: number,
  isThere: (slot: HostSlot) => boolean = () => false,
): Promise<void> {
  const untilMs = Date.now() + milliseconds;
  while (Date.now() < untilMs && !isOver() && slot.isRunning && !isThere(slot)) await pause(20);
}
