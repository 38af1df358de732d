import { plantBug } from "./plant-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";

/** `node test/model/run-planted-bug.ts <name> <seed> <runs>`: looks for one bug and prints what was found as JSON. */
const [name, seed, runs] = process.argv.slice(2);
const bug = plantedBugs.find((candidate) => candidate.name === name);
if (!bug) throw new Error(`There is no planted bug "${name ?? ""}".`);
plantBug(bug);
const { checkModel } = await import("./check-model.ts");
const report = await checkModel({ seed: Number(seed), runs: Number(runs), isQuick: true });
console.log(JSON.stringify({ runs: report.runs, problems: report.problems }));
