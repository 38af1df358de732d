import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A program of the host in a process of its own. */
export interface Program {
  /** What it wrote so far, both streams. */
  output(): string;
  /** Resolves with the output once it contains the text; rejects when the program ends before. */
  wrote(text: string): Promise<string>;
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

export function runProgram(
  name: "start" | "cli",
  args: readonly string[],
  options: { readonly environment?: Readonly<Record<string, string>>; readonly folder: string },
): Program {
  const file = fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [file, ...args], {
    cwd: options.folder,
    env: { PATH, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      output += String(chunk);
      wake();
    });
  }
  let isOver = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      isOver = true;
      wake();
      resolve(code);
    });
  });
  return {
    output: () => output,
    exited,
    kill: (signal) => void child.kill(signal),
    wrote: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (output.includes(text)) resolve(output);
          else if (isOver) reject(new Error(`ended without "${text}": ${output}`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
  };
}
