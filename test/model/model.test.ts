import { describe, expect, it } from "vitest";
import { checkFromEnvironment, checkModel } from "./check-model.ts";
import { findPlantedBugs } from "./find-planted-bugs.ts";
import { foundPlans } from "./found-plans.ts";
import { changedSource } from "./plant-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";
import { runPlan } from "./run-plan.ts";

const slowMs = 180_000;

describe("the model of the runtime", () => {
  it("should hold with a fixed seed", { timeout: slowMs }, async () => {
    const report = await checkModel({ seed: 20_260_101, runs: 250 });
    expect(report.failure ?? "").toBe("");
  });

  it("should hold with another seed each time", { timeout: slowMs }, async () => {
    const check = checkFromEnvironment({ runs: 300 });
    console.log(`The model: ${check.runs} runs with HANDOVER_MODEL_SEED=${check.seed}`);
    const report = await checkModel(check);
    expect(report.failure ?? "").toBe("");
  });

  it.each(foundPlans)("should hold in a run where it once did not: $title", async ({ plan }) => {
    expect((await runPlan(plan)).problems).toEqual([]);
  });

  it("should make the same run again from the same seed", { timeout: slowMs }, async () => {
    const [first, second] = [await checkModel({ seed: 7, runs: 40 }), await checkModel({ seed: 7, runs: 40 })];
    expect(second.picked).toBe(first.picked);
    expect(second.digest).toBe(first.digest);
  });

  it("should find the bugs that are planted in the runtime", { timeout: slowMs }, async () => {
    const bugs = plantedBugs.filter(({ isRare }) => !isRare);
    expect(bugs.length).toBeGreaterThanOrEqual(5);
    const searches = await findPlantedBugs(bugs, { seed: 20_260_101, runs: 2_000 });
    expect(searches.filter(({ isFound }) => !isFound)).toEqual([]);
  });

  it("should still have a place for each of the rare ones, which the long test looks for", () => {
    for (const bug of plantedBugs) expect(() => changedSource(bug)).not.toThrow();
  });
});
