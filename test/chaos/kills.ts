import { createAims, type Aim } from "./host/aim.ts";
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
  const { run, slots, random } = killing;
  if (run.scenario.kills === "rolling") return rollOver(killing);
  const aims = { die: createAims(random, "die"), freeze: createAims(random, "freeze") };
  const nextAim = (): Aim | undefined => {
    if (random() < 0.35) return undefined;
    return run.scenario.kills === "sigstop" && random() < 0.4 ? aims.freeze() : aims.die();
  };
  await Promise.all(slots.map((slot) => killAgainAndAgain(killing, slot, nextAim)));
}

async function killAgainAndAgain(killing: Killing, slot: HostSlot, nextAim: () => Aim | undefined): Promise<void> {
  const { run, slots, totals, random, isOver } = killing;
  // Who comes back alone on a shared store waits for the leases of who died before it.
  const leaseMs = run.scenario.store === "postgres" && slots.length === 1 ? chaosTiming.leaseMs : 0;
  let aim: Aim | undefined;
  while (!isOver()) {
    await waitUnlessGone(slot, isOver, leaseMs);
    await waitUnlessGone(slot, isOver, workPatienceMs, isBusy);
    // Several hosts together die as often as one alone.
    const livesForMs = aim ? aimPatienceMs : between(random, 200, 1_500) * slots.length;
    await waitUnlessGone(slot, isOver, livesForMs, isFrozen);
    if (isFrozen(slot)) await thaw(killing, slot);
    await waitUnlessGone(slot, isOver, workPatienceMs, isBusy);
    if (slot.isRunning && isOver()) break;
    if (slot.isRunning && run.scenario.kills === "sigstop" && random() < 0.25) await freeze(killing, slot);
    else {
      countKill(totals, slot.isRunning ? await slot.kill() : slot.lastStatus());
      // Some deaths are noticed late.
      if (random() < 0.2) await pause(between(random, 100, 1_000));
      aim = isOver() ? undefined : nextAim();
      await slot.start(aim);
    }
  }
  // Who comes to the verification must not have an aim any more.
  if (slot.isRunning && !aim) return;
  countKill(totals, slot.isRunning ? await slot.kill() : slot.lastStatus());
  await slot.start();
}

/** Deliveries are under way in both directions. */
function isBusy(slot: HostSlot): boolean {
  const status = slot.lastStatus();
  return status !== undefined && status.out > 0 && status.in > 0;
}

function isFrozen(slot: HostSlot): boolean {
  return slot.isRunning && slot.lastStatus()?.isFrozen === true;
}

async function freeze(killing: Killing, slot: HostSlot): Promise<void> {
  slot.pause();
  killing.totals.stops += 1;
  await thaw(killing, slot);
}

/** Others take over what it holds; then it goes on as if nothing had been. */
async function thaw({ random, totals }: Killing, slot: HostSlot): Promise<void> {
  if (isFrozen(slot)) totals.aimedStops += 1;
  await pause(between(random, chaosTiming.leaseMs * 1.2, chaosTiming.leaseMs * 2.2));
  slot.resume();
  await pause(1_000);
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
