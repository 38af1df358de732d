import { createHash } from "node:crypto";
import fc from "fast-check";
import { plans, type Plan } from "./plan.ts";
import { runPlan, type Outcome } from "./run-plan.ts";

/** What a check came to. */
export interface ModelReport {
  readonly runs: number;
  readonly seed: number;
  readonly picked: number;
  readonly marks: Readonly<Record<string, number>>;
  /** Of all that was said in all logs: the same for the same plans. */
  readonly digest: string;
  /** What is wrong in the smallest case that was found. */
  readonly problems: readonly string[];
  /** Absent when nothing is wrong: what is, how to see it again, and how it came to that. */
  readonly failure?: string;
}

/** How to check. */
export interface ModelCheck {
  readonly seed: number;
  readonly runs: number;
  /** Goes straight to a case that an earlier check found. */
  readonly path?: string;
  /** Only this plan. */
  readonly plan?: Plan;
  /** Stops at the first failure instead of looking for a smaller one. */
  readonly isQuick?: boolean;
}

/** Runs the property on plans that follow from the seed. */
export async function checkModel({ seed, runs, path, plan: given, isQuick = false }: ModelCheck): Promise<ModelReport> {
  let picked = 0;
  const marks: Record<string, number> = {};
  const hash = createHash("sha256");
  const property = fc.asyncProperty(given ? fc.constant(given) : plans, async (plan) => {
    const outcome = await runPlan(plan);
    picked += outcome.picked;
    for (const [mark, count] of Object.entries(outcome.marks)) marks[mark] = (marks[mark] ?? 0) + count;
    hash.update(JSON.stringify(outcome.entries));
    if (outcome.problems.length > 0) throw new Error(outcome.problems.join("\n"));
  });
  const details = await fc.check(property, { seed, numRuns: runs, endOnFailure: isQuick, ...(path === undefined ? {} : { path }) });
  const report = { runs: details.numRuns, seed, picked, marks, digest: hash.digest("hex"), problems: [] };
  if (!details.failed || !details.counterexample) return report;
  const [plan] = details.counterexample;
  const outcome = await runPlan(plan, { isTold: true });
  return { ...report, problems: outcome.problems, failure: describeFailure({ seed, path: details.counterexamplePath, plan, outcome }) };
}

function describeFailure(found: { seed: number; path: string; plan: Plan; outcome: Outcome }): string {
  const { seed, path, plan, outcome } = found;
  const { steps, ...conditions } = plan;
  return [
    "The model found a run in which something is wrong:",
    ...outcome.problems.map((problem) => `  ${problem}`),
    "",
    "See it again:",
    `  HANDOVER_MODEL_SEED=${seed} HANDOVER_MODEL_PATH=${path} HANDOVER_MODEL_RUNS=1 node_modules/.bin/node test/model/run-model.ts`,
    "",
    "Or, also when plans are generated in another way by then:",
    `  HANDOVER_MODEL_PLAN='${JSON.stringify(plan)}' node_modules/.bin/node test/model/run-model.ts`,
    "",
    `Conditions: ${JSON.stringify(conditions)}`,
    ...steps.map((step, index) => `Step ${index + 1}: ${JSON.stringify(step)}`),
    "",
    "What happened:",
    ...outcome.story,
    "",
    ...outcome.log,
  ].join("\n");
}

/** What to check, by the environment: `HANDOVER_MODEL_SEED`, `_PATH`, `_RUNS`; or `_PLAN`, one plan as JSON. */
export function checkFromEnvironment(otherwise: { readonly runs: number }): ModelCheck {
  const { HANDOVER_MODEL_SEED: seed, HANDOVER_MODEL_PATH: path, HANDOVER_MODEL_RUNS: runs, HANDOVER_MODEL_PLAN: plan } = process.env;
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(seed),
    runs: plan ? 1 : runs === undefined ? otherwise.runs : Number(runs),
    ...(plan ? { plan: JSON.parse(plan) as Plan } : {}),
    ...(path ? { path, isQuick: true } : {}),
  };
}
