import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createPostgresStore } from "@handover/store-postgres";
import { createSqliteStore } from "@handover/store-sqlite";
import { startPostgres } from "../packages/store-postgres/test/support/postgres.ts";
import { compare } from "./src/compare.ts";
import type { Contender } from "./src/compare.ts";
import { describeMachine } from "./src/machine.ts";
import { ask, inFreshSchema, postgresFunction, postgresStore, postgresTransaction } from "./src/postgres.ts";
import { countRelayCosts } from "./src/relay-costs.ts";
import { relaying, writing } from "./src/relay-throughput.ts";
import type { WithStore } from "./src/relay-throughput.ts";
import { directions } from "./src/relay.ts";
import { printCosts, printLine, printMachine, printTableHead, printVerdict } from "./src/report.ts";
import type { Line, Report, Table } from "./src/report.ts";
import { onFreshFile, sqliteHeap, sqliteLog, sqliteStore } from "./src/sqlite.ts";
import type { Workload } from "./src/workload.ts";

const help = `Measures the stores against the least that would do, and counts what a relayed message costs.

npm run bench -- [options]

  --quick          fewer and shorter rounds: under a minute
  --only <part>    sqlite, postgres or relay; may be given several times
  --folder <path>  where the database files go (default: the system's folder for temporary files)
  --json           the results as JSON, and nothing else
  --help           this text

Only ratios count: both sides take turns in the same process. bench/README.md says what is compared with what.`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: ["sqlite", "postgres", "relay"] },
    folder: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** What a part measures: everywhere the same way, only the amounts differ. */
interface Case {
  readonly what: string;
  readonly inFlight: number;
  readonly calls: number;
  readonly subject: Contender;
  readonly floor: Contender;
}

const goal = 0.7;
const levels = [1, 16, 64] as const;
const { quick } = options;
const many = quick ? 250 : 1_000;
/** For one line of a table. */
const patienceMs = quick ? 2_000 : 13_000;
const workloads: readonly (Workload & { readonly what: string })[] = [
  { what: `${many} conversations`, conversations: many },
  { what: "one conversation", conversations: 1 },
];

async function measure(head: Pick<Table, "title" | "floor" | "goal">, cases: readonly Case[], rounds: number): Promise<Table> {
  if (!options.json) printTableHead(head);
  const lines: Line[] = [];
  for (const { what, inFlight, calls, subject, floor } of cases) {
    const line: Line = { what, inFlight, ...(await compare({ subject, floor }, { rounds, calls, inFlight, patienceMs })) };
    lines.push(line);
    if (!options.json) printLine(line, head.goal);
  }
  return { ...head, lines };
}

function eachLevel(
  calls: Readonly<Record<(typeof levels)[number], number>>,
  pairOf: (workload: Workload) => { readonly subject: Contender; readonly floor: Contender },
): readonly Case[] {
  return workloads.flatMap((workload) =>
    levels.map((inFlight) => ({ what: workload.what, inFlight, calls: calls[inFlight], ...pairOf(workload) })),
  );
}

async function measureSqlite(folder: string): Promise<readonly Table[]> {
  const calls = quick ? { 1: 500, 16: 5_000, 64: 8_000 } : { 1: 2_000, 16: 15_000, 64: 30_000 };
  const subject = (workload: Workload): Contender => sqliteStore(folder, workload);
  return [
    await measure(
      { title: "Appends on SQLite", floor: "a bare group commit loop that keeps the same promises with three statements", goal },
      eachLevel(calls, (workload) => ({ subject: subject(workload), floor: sqliteLog(folder, workload) })),
      quick ? 4 : 12,
    ),
    await measure(
      { title: "Appends on SQLite, to know", floor: "a bare group commit loop that only inserts, without an index" },
      eachLevel(calls, (workload) => ({ subject: subject(workload), floor: sqliteHeap(folder, workload) })).slice(0, levels.length),
      quick ? 2 : 6,
    ),
  ];
}

async function measurePostgres(connectionString: string): Promise<readonly Table[]> {
  const calls = quick ? { 1: 200, 16: 600, 64: 1_000 } : { 1: 800, 16: 3_000, 64: 5_000 };
  const subject = (workload: Workload): Contender => postgresStore(connectionString, workload);
  return [
    await measure(
      { title: "Commits on PostgreSQL", floor: "a bare pool of pg that calls the same function with the same request", goal },
      eachLevel(calls, (workload) => ({ subject: subject(workload), floor: postgresFunction(connectionString, workload) })),
      quick ? 2 : 8,
    ),
    await measure(
      { title: "Commits on PostgreSQL, to know", floor: "a bare pool of pg that sends the function's statements in a transaction" },
      eachLevel(calls, (workload) => ({ subject: subject(workload), floor: postgresTransaction(connectionString, workload) })).slice(
        0,
        levels.length,
      ),
      quick ? 1 : 4,
    ),
  ];
}

async function measureRelay(withStore: WithStore, store: string): Promise<Table> {
  const conversations = 16;
  const cases = directions.map((direction) => ({
    what: direction,
    inFlight: conversations,
    calls: quick ? 100 : 1_000,
    subject: relaying(withStore, direction, conversations),
    floor: writing(withStore, direction, conversations),
  }));
  return measure(
    { title: `Messages through the runtime on ${store}, to know`, floor: "the store alone with as many writes for a message" },
    cases,
    quick ? 2 : 6,
  );
}

/** Counts with the store of a contender, once. */
async function count(withStore: WithStore, store: string): Promise<Report["costs"][number]> {
  const perMessage: Report["costs"][number]["perMessage"][number][] = [];
  const once = await withStore(async (opening) => {
    perMessage.push(...(await countRelayCosts(opening)));
    return { call: async () => undefined, close: async () => undefined };
  }).open();
  await once.close();
  const costs = { store, perMessage };
  if (!options.json) printCosts(costs);
  return costs;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(options.folder, "handover-bench-"));
  // The runtime's timers let a process end.
  const staying = setInterval(() => undefined, 60_000);
  const wants = (part: string): boolean => options.only.includes(part);
  const postgres = wants("postgres") || wants("relay") ? await startPostgres() : undefined;
  const connectionString = postgres && "server" in postgres ? postgres.server.connectionString : undefined;
  const notes = postgres && "missing" in postgres ? [`Left out: PostgreSQL, which does not run here (${postgres.missing}).`] : [];
  try {
    const version = connectionString ? await ask<{ server_version: string }>(connectionString, "SHOW server_version") : [];
    const machine = describeMachine(folder, version[0]?.server_version);
    if (!options.json) printMachine(machine);
    const stores: { readonly name: string; readonly withStore: WithStore }[] = [
      { name: "SQLite", withStore: (open) => onFreshFile(folder, (path) => open(createSqliteStore({ path }))) },
    ];
    if (connectionString) {
      const withStore: WithStore = (open) =>
        inFreshSchema(connectionString, (schema) => open(createPostgresStore({ connectionString, schema })));
      stores.push({ name: "PostgreSQL", withStore });
    }
    const tables: Table[] = [];
    const costs: Report["costs"][number][] = [];
    if (wants("sqlite")) tables.push(...(await measureSqlite(folder)));
    if (wants("postgres") && connectionString) tables.push(...(await measurePostgres(connectionString)));
    for (const { name, withStore } of wants("relay") ? stores : []) {
      costs.push(await count(withStore, name));
      tables.push(await measureRelay(withStore, name));
    }
    const report: Report = { machine, tables, costs, notes };
    if (options.json) console.log(JSON.stringify(report, undefined, 2));
    else printVerdict(report);
  } finally {
    clearInterval(staying);
    if (postgres && "server" in postgres) await postgres.server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

if (options.help) console.log(help);
else await main();
