import type { Comparison } from "./compare.ts";
import type { Machine } from "./machine.ts";
import type { RelayCosts } from "./relay-costs.ts";

/** One line of a table. */
export interface Line extends Comparison {
  readonly what: string;
  readonly inFlight: number;
}

/** Lines that are compared with the same floor. */
export interface Table {
  readonly title: string;
  /** What it is compared with. */
  readonly floor: string;
  /** The least ratio; absent where the ratio is only to know. */
  readonly goal?: number;
  readonly lines: readonly Line[];
}

export interface Report {
  readonly machine: Machine;
  readonly tables: readonly Table[];
  readonly costs: readonly { readonly store: string; readonly perMessage: readonly RelayCosts[] }[];
  readonly notes: readonly string[];
}

export function printMachine(machine: Machine): void {
  const { cpu, cores, memoryGiB, system, node, sqlite, postgres, load, fsyncMs } = machine;
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; load ${load}; 4 KiB on the disk in ${fsyncMs} ms`);
  console.log(`Node ${node}, SQLite ${sqlite}${postgres === undefined ? "" : `, PostgreSQL ${postgres}`}`);
}

export function printTableHead({ title, floor, goal }: Pick<Table, "title" | "floor" | "goal">): void {
  console.log(`\n${title}`);
  console.log(`  compared with ${floor}${goal === undefined ? "" : `; goal: at least ${goal.toFixed(2)}`}`);
  console.log(
    `  ${"".padEnd(30)}${right("in flight", 9)}${right("per second", 12)}${right("floor", 10)}${right("ratio", 8)}   middle half`,
  );
}

export function printLine(line: Line, goal: number | undefined): void {
  const { what, inFlight, subjectPerSecond, floorPerSecond, ratio, spread, rounds } = line;
  const numbers = [right(inFlight, 9), right(whole(subjectPerSecond), 12), right(whole(floorPerSecond), 10), right(ratio.toFixed(2), 8)];
  const middle = `${spread[0].toFixed(2)}-${spread[1].toFixed(2)} of ${rounds}`;
  const verdict = goal === undefined ? "" : ratio >= goal ? "met" : "MISSED";
  console.log(`  ${what.padEnd(30)}${numbers.join("")}   ${middle.padEnd(18)}${verdict}`.trimEnd());
}

export function printCosts({ store, perMessage }: Report["costs"][number]): void {
  console.log(`\nWhat one relayed message costs on ${store}`);
  for (const { direction, intake, owner, writes, statements } of perMessage) {
    const named = Object.entries(writes).map(([name, count]) => `${name}${count === 1 ? "" : ` (${count})`}`);
    console.log(`  ${direction}: ${intake} transaction to take it in, ${owner} on the owning instance`);
    console.log(`    ${named.join(", ")}`);
    const { writing, reading, transactions, hints } = statements;
    console.log(`    statements: ${writing} that write, ${reading} that read, ${transactions} around transactions, ${hints} for hints`);
  }
}

export function printVerdict({ tables, notes }: Report): void {
  const lines = tables.flatMap(({ lines: all, goal }) => (goal === undefined ? [] : all.map(({ ratio }) => ratio >= goal)));
  const met = lines.filter(Boolean).length;
  console.log(`\n${met} of ${lines.length} goals met.`);
  for (const note of notes) console.log(note);
}

function right(value: string | number, width: number): string {
  return String(value).padStart(width);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
