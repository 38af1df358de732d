import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program that takes too long for every day. */
export interface LongRun {
  readonly name: string;
  readonly does: string;
  readonly program: readonly string[];
  readonly environment: (seed: number) => Readonly<Record<string, string>>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const vitest = join(createRequire(import.meta.url).resolve("vitest/package.json"), "../vitest.mjs");
const test = (file: string) => [vitest, "run", "--root", here("../.."), here(file)];
const modelSeed = (seed: number) => ({ HANDOVER_MODEL_SEED: String(seed) });

/** What a whole run does beside the kills. */
export const longRuns: readonly LongRun[] = [
  { name: "model", does: "10,000 random interleavings", program: [here("../model/run-model.ts"), "10000"], environment: modelSeed },
  {
    name: "planted-bugs",
    does: "finds what was broken on purpose",
    program: [here("../model/find-planted-bugs.ts")],
    environment: () => ({}),
  },
  {
    name: "memory",
    does: "10,000 handovers",
    program: test("../catalogue/memory.test.ts"),
    environment: () => ({ HANDOVER_MEMORY: "10000" }),
  },
];

/** @returns whether it went well */
export async function runLongRun({ program, environment }: LongRun, seed: number): Promise<boolean> {
  const child = spawn(process.execPath, program, { stdio: "inherit", env: { ...process.env, ...environment(seed) } });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return code === 0;
}
