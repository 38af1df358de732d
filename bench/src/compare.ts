import { timeCalls } from "./load.ts";
import type { Call } from "./load.ts";

/** Something that is measured: opened anew for every round, so that each round begins with the same. */
export interface Contender {
  open(): Promise<OpenContender>;
}

export interface OpenContender {
  readonly call: Call;
  close(): Promise<void>;
}

export interface Pair {
  readonly subject: Contender;
  readonly floor: Contender;
}

/** How often, and how much in each round. */
export interface Plan {
  readonly rounds: number;
  readonly calls: number;
  readonly inFlight: number;
  /** No further round is begun after this time. */
  readonly patienceMs: number;
}

/** Calls per second of both, and how the subject compares with the floor: at 1 it is as fast. */
export interface Comparison {
  readonly subjectPerSecond: number;
  readonly floorPerSecond: number;
  readonly ratio: number;
  /** The middle half of the rounds. */
  readonly spread: readonly [low: number, high: number];
  readonly rounds: number;
}

/** A spread as wide as this part of the ratio says more about the machine than about the code: then it is measured for longer. */
const wideSpread = 0.15;

/**
 * Lets both take turns, because a machine does not have the same time for both at all times: only what was measured side by side is
 * compared. Who begins changes from round to round; the first round warms up and does not count.
 */
export async function compare(pair: Pair, plan: Plan): Promise<Comparison> {
  const patience = AbortSignal.timeout(plan.patienceMs);
  await runRound(pair, plan, 0);
  const rounds: Round[] = [];
  do rounds.push(await runRound(pair, plan, rounds.length));
  while (!patience.aborted && (rounds.length < plan.rounds || (rounds.length < plan.rounds * 2 && isWide(rounds))));
  const ratios = rounds.map(ratioOf);
  return {
    subjectPerSecond: quantile(
      rounds.map(({ subject }) => subject),
      0.5,
    ),
    floorPerSecond: quantile(
      rounds.map(({ floor }) => floor),
      0.5,
    ),
    ratio: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    rounds: rounds.length,
  };
}

interface Round {
  readonly subject: number;
  readonly floor: number;
}

async function runRound({ subject, floor }: Pair, plan: Plan, number: number): Promise<Round> {
  if (number % 2 === 0) {
    const first = await perSecond(subject, plan);
    return { subject: first, floor: await perSecond(floor, plan) };
  }
  const first = await perSecond(floor, plan);
  return { subject: await perSecond(subject, plan), floor: first };
}

async function perSecond(contender: Contender, { calls, inFlight }: Plan): Promise<number> {
  const { call, close } = await contender.open();
  try {
    return (calls * 1000) / (await timeCalls(calls, inFlight, call));
  } finally {
    await close();
  }
}

function ratioOf({ subject, floor }: Round): number {
  return subject / floor;
}

function isWide(rounds: readonly Round[]): boolean {
  const ratios = rounds.map(ratioOf);
  return quantile(ratios, 0.75) - quantile(ratios, 0.25) > wideSpread * quantile(ratios, 0.5);
}

/** Between two values it lies in proportion. */
function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const position = (sorted.length - 1) * at;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}
