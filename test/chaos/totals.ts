import type { HostStatus } from "./host/status-page.ts";
import { laneNames, sides } from "./host/lanes.ts";

/** What was done and found in one scenario, or in all. */
export interface Totals {
  /** Kills that hit a host with deliveries under way in both directions. */
  kills: number;
  /** Kills that did not. */
  idleKills: number;
  /** Of the kills that count, those of hosts that killed themselves at a point they were given. */
  aimedKills: number;
  /** Freezes at any moment, and at a point that the host was given. */
  stops: number;
  aimedStops: number;
  restarts: number;
  /** `lane/side`: kills that hit at least one conversation there. */
  readonly places: Map<string, number>;
  /** Calls that were under way when a host was killed. */
  readonly calls: Map<string, number>;
  userLines: number;
  agentLines: number;
  delivered: number;
  handovers: number;
  lost: number;
  reordered: number;
  repeated: number;
  unmarked: number;
  broken: number;
  markedRepeats: number;
  late: number;
  unsure: number;
}

export function createTotals(): Totals {
  return {
    kills: 0,
    idleKills: 0,
    aimedKills: 0,
    stops: 0,
    aimedStops: 0,
    restarts: 0,
    places: new Map(),
    calls: new Map(),
    userLines: 0,
    agentLines: 0,
    delivered: 0,
    handovers: 0,
    lost: 0,
    reordered: 0,
    repeated: 0,
    unmarked: 0,
    broken: 0,
    markedRepeats: 0,
    late: 0,
    unsure: 0,
  };
}

/** Counts a kill by what the host was doing. @returns whether it counts */
export function countKill(totals: Totals, status: HostStatus | undefined): boolean {
  if (!status || status.out === 0 || status.in === 0) {
    totals.idleKills += 1;
    return false;
  }
  totals.kills += 1;
  if (status.aim !== undefined) totals.aimedKills += 1;
  for (const place of Object.keys(status.lanes)) totals.places.set(place, (totals.places.get(place) ?? 0) + 1);
  for (const call of Object.keys(status.calls)) totals.calls.set(call, (totals.calls.get(call) ?? 0) + 1);
  return true;
}

/** Adds the second to the first. */
export function addTotals(sum: Totals, more: Totals): void {
  for (const [key, value] of Object.entries(more) as [keyof Totals, number | Map<string, number>][]) {
    if (typeof value === "number") (sum[key] as number) += value;
    else
      for (const [name, count] of value)
        (sum[key] as Map<string, number>).set(name, ((sum[key] as Map<string, number>).get(name) ?? 0) + count);
  }
}

export function hasFailed(totals: Totals): boolean {
  return totals.lost + totals.reordered + totals.repeated + totals.unmarked + totals.broken > 0;
}

/** The totals as lines for people. */
export function describeTotals(totals: Totals): string[] {
  const { kills, idleKills, aimedKills, stops, aimedStops, restarts } = totals;
  return [
    `kills ${kills} (${aimedKills} of them aimed; ${idleKills} more hit an idle host), freezes ${stops + aimedStops} (${aimedStops} of them aimed), restarts ${restarts}`,
    `messages ${totals.userLines + totals.agentLines} (${totals.userLines} of users, ${totals.agentLines} of agents; ${totals.delivered} verified on the other side), handovers ${totals.handovers}`,
    `lost ${totals.lost}  reordered ${totals.reordered}  repeated ${totals.repeated}  unmarked ${totals.unmarked}  broken ${totals.broken}  (repeats with their mark ${totals.markedRepeats}, late with their mark ${totals.late}, arrived although nobody could tell ${totals.unsure})`,
  ];
}

/** Which lanes and sides of a commit the kills hit. */
export function describePlaces(totals: Totals): string[] {
  const header = `${"kills that hit".padEnd(16)}${sides.map((side) => side.padStart(9)).join("")}`;
  const rows = laneNames.map(
    (lane) => lane.padEnd(16) + sides.map((side) => String(totals.places.get(`${lane}/${side}`) ?? 0).padStart(9)).join(""),
  );
  const calls = [...totals.calls].toSorted().map(([name, count]) => `${name} ${count}`);
  return [header, ...rows, `calls under way: ${calls.join(", ") || "none"}`];
}
