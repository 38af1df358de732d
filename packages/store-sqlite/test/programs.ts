import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

/** A second process that uses the store. */
export interface Program {
  /** Everything that it has printed, by line. */
  readonly lines: readonly string[];
  /** The next line; `undefined` when the program has ended. */
  nextLine(): Promise<string | undefined>;
  /** Ends it without asking (SIGKILL), and waits until it is gone and everything that it printed was read. */
  kill(): Promise<void>;
}

/** Starts a file of `test/programs`. */
export type StartProgram = (file: string, args: readonly string[], options?: { readonly fileBlocks?: number }) => Program;

/** Starts files of `test/programs`; what still runs after a test is killed. */
export function usePrograms(): StartProgram {
  const running: Program[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((program) => program.kill()));
  });
  return (file, args, { fileBlocks } = {}) => {
    const node = [process.execPath, fileURLToPath(new URL(`./programs/${file}`, import.meta.url)), ...args];
    // No file that the program writes may grow beyond this many blocks of 512 bytes.
    const command = fileBlocks === undefined ? node : ["sh", "-c", `ulimit -f ${fileBlocks}; exec "$@"`, "sh", ...node];
    const program = follow(spawn(command[0] ?? "", command.slice(1), { stdio: ["pipe", "pipe", "inherit"] }));
    running.push(program);
    return program;
  };
}

function follow(child: ChildProcessByStdio<Writable, Readable, null>): Program {
  const closed = once(child, "close");
  const lines: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let isOver = false;
  let read = 0;
  createInterface({ input: child.stdout })
    .on("line", (line) => {
      lines.push(line);
      const reader = waiting.shift();
      if (reader) reader(lines[read++]);
    })
    .on("close", () => {
      isOver = true;
      for (const reader of waiting.splice(0)) reader(undefined);
    });
  return {
    lines,
    nextLine: () => {
      if (read < lines.length || isOver) return Promise.resolve(lines[read++]);
      return new Promise((resolve) => waiting.push(resolve));
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
