import { runLoad } from "./load/run-load.ts";
import type { ScenarioResult, ScenarioRun } from "./scenario-run.ts";
import { openStage } from "./stage.ts";
import { createTotals } from "./totals.ts";
import { verifyScenario } from "./verify/verify-scenario.ts";

/** Runs one scenario: hosts that die under load, then rest, then verification. */
export async function runScenario(run: ScenarioRun): Promise<ScenarioResult> {
  const stage = await openStage(run);
  try {
    const totals = createTotals();
    const load = await runLoad(run, stage, totals);
    run.say(`  the load is over after ${totals.kills} kills; every conversation is looked at`);
    return await verifyScenario(run, stage, load, totals);
  } finally {
    await stage.close();
  }
}
