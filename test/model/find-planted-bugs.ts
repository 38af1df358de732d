import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { plantedBugs, type PlantedBug } from "./planted-bugs.ts";

/** What became of the search for one bug. */
export interface BugSearch {
  readonly name: string;
  readonly isFound: boolean;
  /** Runs until it was found. */
  readonly runs: number;
  /** What the model said, or why it could not look. */
  readonly said: string;
}

/** Looks for planted bugs, each in a process of its own, two at a time. */
export async function findPlantedBugs(
  bugs: readonly PlantedBug[],
  options: { readonly seed: number; readonly runs: number },
): Promise<readonly BugSearch[]> {
  const searches: BugSearch[] = [];
  const waiting = [...bugs];
  async function work(): Promise<void> {
    for (let bug = waiting.shift(); bug; bug = waiting.shift()) searches.push(await search(bug.name, options));
  }
  await Promise.all([work(), work()]);
  return searches.sort((one, other) => one.name.localeCompare(other.name));
}

async function search(name: string, { seed, runs }: { readonly seed: number; readonly runs: number }): Promise<BugSearch> {
  const program = fileURLToPath(new URL("run-planted-bug.ts", import.meta.url));
  const child = spawn(process.execPath, [program, name, String(seed), String(runs)], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) return { name, isFound: false, runs: 0, said: errors.trim() };
  const result = JSON.parse(output) as { runs: number; problems: readonly string[] };
  return { name, isFound: result.problems.length > 0, runs: result.runs, said: result.problems[0] ?? "nothing" };
}

/** `node test/model/find-planted-bugs.ts [runs]`: fails when a bug is not found. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = Number(process.argv[2] ?? 20_000);
  const seed = Number(process.env["HANDOVER_MODEL_SEED"] ?? 20_260_101);
  console.log(`Looking for ${plantedBugs.length} planted bugs with seed ${seed}, in at most ${runs} runs each ...`);
  const searches = await findPlantedBugs(plantedBugs, { seed, runs });
  for (const { name, isFound, runs: needed, said } of searches) {
    console.log(`${isFound ? `found after ${needed} runs` : "NOT FOUND"}: ${name}\n    ${said}`);
  }
  if (!searches.every(({ isFound }) => isFound)) process.exitCode = 1;
}
