import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../support/free-port.ts";

const startFile = fileURLToPath(new URL("../../../apps/host/src/start.ts", import.meta.url));
const patienceMs = 30_000;

/** A host in a process of its own, on one port and a database that it shares. */
export interface HostProcess {
  readonly url: string;
  start(): Promise<void>;
  /** SIGTERM, as in a rolling restart. Resolves with the exit code when it is gone. */
  end(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: nothing of it goes on. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  readonly output: () => string;
}

/** Prepares a host; its configuration goes into the folder. */
export async function createHostProcess(options: {
  readonly folder: string;
  readonly name: string;
  readonly configuration: (port: number) => object;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<HostProcess> {
  const port = await freePort();
  const file = join(options.folder, `${options.name}.yaml`);
  await writeFile(file, JSON.stringify(options.configuration(port)));
  let child: ChildProcess | undefined;
  let output = "";

  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  async function endWith(signal: NodeJS.Signals): Promise<number | null> {
    if (!child || !isRunning()) return child?.exitCode ?? null;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    return child.exitCode;
  }

  return {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    async start() {
      output = "";
      const environment = { PATH: process.env["PATH"] ?? "", ...options.environment };
      const started = spawn(process.execPath, [startFile, "--config", file], { stdio: ["ignore", "pipe", "pipe"], env: environment });
      child = started;
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${options.name} ${why}. It said:\n${output}`));
        const timer = setTimeout(() => fail("did not become ready"), patienceMs);
        const read = (chunk: Buffer) => {
          output += chunk.toString();
          if (!output.includes("Handover is running.")) return;
          clearTimeout(timer);
          resolve();
        };
        started.stdout.on("data", read);
        started.stderr.on("data", read);
        started.once("exit", () => {
          clearTimeout(timer);
          fail("ended");
        });
      });
    },
    end: () => endWith("SIGTERM"),
    async kill() {
      await endWith("SIGKILL");
    },
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
  };
}
