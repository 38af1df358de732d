import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { PlantedBug } from "./planted-bugs.ts";

const source = new URL("../../packages/runtime/src/", import.meta.url);

/**
 * The source of a file of the runtime with a bug in it.
 * @throws Error when the place is not there exactly once: then the runtime has changed, and the bug must be planted anew
 */
export function changedSource(bug: PlantedBug): { readonly url: string; readonly text: string } {
  const url = new URL(bug.file, source).href;
  const original = readFileSync(fileURLToPath(url), "utf8");
  const places = original.split(bug.find).length - 1;
  if (places !== 1) throw new Error(`The bug "${bug.name}" cannot be planted: ${bug.file} has its place ${places} times. Plant it anew.`);
  return { url, text: original.replace(bug.find, () => bug.replace) };
}

/** From now on this process loads the runtime with the bug in it; the files stay as they are. Call it before the runtime is imported. */
export function plantBug(bug: PlantedBug): void {
  const { url, text } = changedSource(bug);
  registerHooks({
    load: (given, context, next) =>
      given === url ? { format: "module-typescript", source: text, shortCircuit: true } : next(given, context),
  });
}
