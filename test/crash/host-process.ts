import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";

const startFile = fileURLToPath(new URL("../../apps/host/src/start.ts", import.meta.url));
const patienceMs = 20_000;

/** A host in a process of its own, on one data folder and one port, that can be killed and started again. */
export interface HostProcess {
  readonly url: string;
  /** Starts it; resolves when it is ready. */
  start(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Kills it now, without waiting, from inside a callback. */
  killNow(): void;
  readonly output: () => string;
  close(): Promise<void>;
}

/** Prepares a host; `configuration` gets the port and the folder it runs in. */
export async function createHostProcess(configuration: (port: number, folder: string) => string): Promise<HostProcess> {
  const folder = await mkdtemp(join(tmpdir(), "handover-crash-"));
  const port = await freePort();
  const file = join(folder, "handover.yaml");
  await writeFile(file, configuration(port, folder));
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let output = "";

  async function kill(): Promise<void> {
    const dying = child;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = once(dying, "exit");
    dying.kill("SIGKILL");
    await gone;
  }

  return {
    url,
    output: () => output,
    async start() {
      child = spawn(process.execPath, [startFile, "--config", file], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { PATH: process.env["PATH"] },
      });
      const started = child;
      const isReady = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`The host did not become ready. It said:\n${output}`)), patienceMs);
        const read = (chunk: Buffer) => {
          output += chunk.toString();
          if (!output.includes("Handover is running.")) return;
          clearTimeout(timer);
          resolve();
        };
        output = "";
        started.stdout?.on("data", read);
        started.stderr?.on("data", read);
        started.once("exit", () => {
          clearTimeout(timer);
          reject(new Error(`The host ended. It said:\n${output}`));
        });
      });
      await isReady;
    },
    kill,
    killNow: () => void child?.kill("SIGKILL"),
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
