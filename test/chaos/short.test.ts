import { expect, it } from "vitest";
import { sharedPostgres } from "../../packages/store-postgres/test/support/postgres.ts";
import { runScenario } from "./run-scenario.ts";
import { scenarios } from "./scenarios.ts";

// A short look at each kind of scenario; `npm run test:chaos` takes its time. Runs after all other tests, alone.
const wanted = [
  { name: "sqlite-live-agent", kills: 4 },
  { name: "sqlite-without-read-back", kills: 4 },
  { name: "postgres-live-agent", kills: 2 },
  { name: "three-hosts-test-vendor", kills: 3 },
  { name: "rolling-restart", kills: 3 },
];

it.for(wanted)(
  "should lose, repeat and disorder nothing while hosts die under load [F157 $name]",
  { timeout: 300_000 },
  async ({ name, kills }, context) => {
    const scenario = scenarios.find((candidate) => candidate.name === name)!;
    const postgres = scenario.store === "postgres" ? await sharedPostgres() : undefined;
    if (postgres && "missing" in postgres) return context.skip(`no PostgreSQL: ${postgres.missing}`);
    const seed = Date.now() % 1_000_000;
    const lines: string[] = [`seed ${seed}`];
    const { totals, problems, traces } = await runScenario({
      scenario: { ...scenario, conversations: 15, paceMs: 300 },
      seed,
      loadMs: 60_000,
      wantedKills: kills,
      wantedMessages: 150,
      ...(postgres ? { postgres: postgres.server.connectionString } : {}),
      say: (line) => lines.push(line),
    });
    expect(problems, [...lines, ...traces].join("\n")).toEqual([]);
    expect(totals.delivered).toBeGreaterThan(50);
    expect(totals.kills + totals.restarts).toBeGreaterThanOrEqual(kills);
  },
);
