import { checkFromEnvironment, checkModel } from "./check-model.ts";

/** `node test/model/run-model.ts [runs]`: the property with a random seed, or with the one of the environment. */
const check = checkFromEnvironment({ runs: Number(process.argv[2] ?? 500) });
console.log(`The model: ${check.runs} runs with seed ${check.seed} ...`);
const beganAtMs = performance.now();
const report = await checkModel(check);
const seconds = (performance.now() - beganAtMs) / 1000;
console.log(`${report.runs} runs, ${report.picked} steps, ${seconds.toFixed(1)} s, ${(report.runs / seconds).toFixed(0)} runs per second.`);
const marks = Object.entries(report.marks).sort(([one], [other]) => (one < other ? -1 : 1));
console.log(marks.map(([mark, count]) => `${mark} ${count}`).join(", "));
if (report.failure !== undefined) {
  console.error(report.failure);
  process.exitCode = 1;
}
