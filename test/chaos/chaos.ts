// The chaos run: hosts that die at any moment under load, on each store and vendor, and a look at every conversation at the end.
import { parseArgs } from "node:util";
import { startPostgres, type PostgresServer } from "../../packages/store-postgres/test/support/postgres.ts";
import { longRuns, runLongRun, type LongRun } from "./long-runs.ts";
import { runScenario } from "./run-scenario.ts";
import { scenarios, type Scenario } from "./scenarios.ts";
import { addTotals, createTotals, describePlaces, describeTotals, hasFailed, type Totals } from "./totals.ts";

const help = `Usage: npm run test:chaos [-- options]

Kills hosts under load again and again and looks at every conversation at the end. Exit code 1 when something was lost, repeated,
out of order or otherwise broken (then a file with the trace of each such conversation is named), or when too little happened.
Then come the other long runs: the model, the bugs planted for it, and the memory of many handovers.

  --scenario <name>   only this one; may be given several times
  --seed <number>     where chance begins; default: from the clock, printed
  --minutes <number>  at most about so long for all kills; default 28
  --quick             a short look at each, about two minutes in all, without the other long runs
  --list              the names of the scenarios
  --help              this text`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      scenario: { type: "string", multiple: true },
      seed: { type: "string" },
      minutes: { type: "string" },
      quick: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return (say(help), 0);
  const all = [...scenarios, ...longRuns];
  if (values.list) return (say(all.map(({ name }) => name).join("\n")), 0);
  const unknown = values.scenario?.filter((name) => !all.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) return (say(`There is no scenario ${unknown.join(", ")}. See: npm run test:chaos -- --list`), 2);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const minutes = values.quick ? 2 : Number(values.minutes ?? 28);
  if (!Number.isInteger(seed) || !(minutes > 0)) return (say("The seed is a whole number, and minutes are more than 0."), 2);
  const isChosen = ({ name }: { readonly name: string }) => values.scenario?.includes(name) ?? true;
  const mustSuffice = !values.quick && values.minutes === undefined;
  const failed = await runScenarios(scenarios.filter(isChosen), { seed, minutes, mustSuffice });
  if (!values.quick) failed.push(...(await runLongRuns(longRuns.filter(isChosen), seed)));
  say(
    failed.length > 0
      ? `\nFAILED: ${failed.join(", ")}. Again: npm run test:chaos -- --seed ${seed} --scenario ${failed[0] ?? ""}`
      : "\nAll went well.",
  );
  return failed.length > 0 ? 1 : 0;
}

/** @returns the names of those that failed */
async function runLongRuns(chosen: readonly LongRun[], seed: number): Promise<string[]> {
  const failed: string[] = [];
  for (const run of chosen) {
    say(`\n${run.name}: ${run.does}`);
    if (!(await runLongRun(run, seed))) failed.push(run.name);
  }
  return failed;
}

/** @returns the names of those that failed */
async function runScenarios(
  chosen: readonly Scenario[],
  { seed, minutes, mustSuffice }: { seed: number; minutes: number; mustSuffice: boolean },
): Promise<string[]> {
  if (chosen.length === 0) return [];
  const postgres = chosen.some(({ store }) => store === "postgres") ? await needPostgres() : undefined;
  const sum = createTotals();
  const perStore = new Map<string, Totals>();
  const failed: string[] = [];
  const short: string[] = [];
  say(`seed ${seed}`);
  try {
    for (const scenario of chosen) {
      const result = await runOne(scenario, { seed, loadMs: (minutes * 60_000) / chosen.length - 10_000, postgres });
      addTotals(sum, result.totals);
      const store = perStore.get(scenario.store) ?? createTotals();
      perStore.set(scenario.store, store);
      addTotals(store, result.totals);
      if (hasFailed(result.totals)) failed.push(scenario.name);
      const { kills, restarts, userLines, agentLines } = result.totals;
      const isShort = kills + restarts < scenario.wantedKills || userLines + agentLines < scenario.wantedMessages;
      if (isShort) short.push(`${scenario.name} (${kills} kills, ${userLines + agentLines} messages)`);
      if (isShort && mustSuffice && !failed.includes(scenario.name)) failed.push(scenario.name);
    }
  } finally {
    await postgres?.close();
  }
  for (const [name, totals] of perStore) say(["", `${name}:`, ...describeTotals(totals), ...describePlaces(totals)].join("\n"));
  say(["", `all, seed ${seed}:`, ...describeTotals(sum), ...describePlaces(sum)].join("\n"));
  if (short.length > 0) say(`\nThe time was over before enough had happened in: ${short.join(", ")}`);
  return failed;
}

async function runOne(
  scenario: Scenario,
  given: { readonly seed: number; readonly loadMs: number; readonly postgres: PostgresServer | undefined },
): Promise<{ readonly totals: Totals }> {
  const { seed, loadMs, postgres } = given;
  say(`\n${scenario.name}`);
  const startedMs = Date.now();
  const { totals, problems, traces } = await runScenario({
    scenario,
    seed,
    loadMs: Math.max(5_000, loadMs),
    wantedKills: scenario.wantedKills,
    wantedMessages: scenario.wantedMessages,
    ...(postgres ? { postgres: postgres.connectionString } : {}),
    say,
  });
  for (const line of describeTotals(totals)) say(`  ${line}`);
  for (const problem of problems.slice(0, 40)) say(`  ${problem}`);
  for (const trace of traces.slice(0, 10)) say(`  trace: ${trace}`);
  say(`  ${Math.round((Date.now() - startedMs) / 1000)} s`);
  return { totals };
}

async function needPostgres(): Promise<PostgresServer> {
  const found = await startPostgres();
  if ("server" in found) return found.server;
  throw new Error(`PostgreSQL does not run on this machine: ${found.missing}`);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
process.exitCode = await main();
