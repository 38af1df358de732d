import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Aim } from "./aim.ts";
import { readStatusPage, type HostStatus } from "./status-page.ts";

const program = fileURLToPath(new URL("./chaos-host.ts", import.meta.url));
const patienceMs = 30_000;
const keptOutput = 20_000;

/** One process of a host. */
interface HostProcess {
  readonly child: ChildProcess;
  readonly isWarm: Promise<unknown>;
  readonly isReady: Promise<unknown>;
  readonly isGone: Promise<void>;
}

/** A place where one host runs at a time, with a next one that has already loaded its programs. */
export interface HostSlot {
  /** Starts the next host and resolves when it answers. */
  start(aim?: Aim): Promise<void>;
  /** Resolves when the host is gone, whoever ended it. */
  gone(): Promise<void>;
  readonly isRunning: boolean;
  /** SIGKILL. @returns what it was doing */
  kill(): Promise<HostStatus | undefined>;
  /** What the host that died last was doing. */
  lastStatus(): HostStatus | undefined;
  pause(): void;
  resume(): void;
  /** SIGTERM; resolves when it has stopped. @throws Error when it takes too long or fails */
  stop(): Promise<void>;
  /** What the hosts wrote, the last part of it. */
  output(): string;
  close(): Promise<void>;
}

/** Also one that is frozen: it would not notice that nobody is there any more. */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** @param planFile what the program is told */
export function createHostSlot(options: {
  readonly planFile: string;
  readonly statusFile: string;
  /** Folder in which a process finds what an earlier one has compiled. */
  readonly compileCache: string;
}): HostSlot {
  let output = "";
  let running: HostProcess | undefined;
  let next = launch();

  function launch(): HostProcess {
    const child = spawn(process.execPath, [program, options.planFile], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: options.compileCache },
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    child.stderr.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-keptOutput)));
    child.stdin.on("error", () => undefined);
    const warm = Promise.withResolvers<undefined>();
    const ready = Promise.withResolvers<undefined>();
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "warm") warm.resolve(undefined);
      if (line === "ready") ready.resolve(undefined);
    });
    const isGone = once(child, "exit").then(() => {
      const error = new Error(`A host ended before it was ready. It said:\n${output}`);
      warm.reject(error);
      ready.reject(error);
    });
    warm.promise.catch(() => undefined);
    ready.promise.catch(() => undefined);
    return { child, isWarm: warm.promise, isReady: ready.promise, isGone };
  }

  async function end(host: HostProcess | undefined): Promise<void> {
    host?.child.kill("SIGKILL");
    await host?.isGone;
  }

  return {
    async start(aim) {
      const host = next;
      await within(host.isWarm, "a host to load");
      running = host;
      host.child.stdin?.write(`${JSON.stringify(aim ? { aim } : {})}\n`);
      await within(host.isReady, "a host to become ready");
      next = launch();
    },
    gone: () => running?.isGone ?? Promise.resolve(),
    get isRunning() {
      return running !== undefined && running.child.exitCode === null && running.child.signalCode === null;
    },
    async kill() {
      await end(running);
      return readStatusPage(options.statusFile);
    },
    lastStatus: () => readStatusPage(options.statusFile),
    pause: () => void running?.child.kill("SIGSTOP"),
    resume: () => void running?.child.kill("SIGCONT"),
    async stop() {
      const host = running;
      if (!host) return;
      host.child.kill("SIGTERM");
      await within(host.isGone, "a host to stop");
      if (host.child.exitCode !== 0) throw new Error(`A host did not stop well (${host.child.exitCode ?? "killed"}). It said:\n${output}`);
    },
    output: () => output,
    async close() {
      await Promise.all([end(running), end(next)]);
      await rm(options.statusFile, { force: true });
    },
  };
}

async function within(work: Promise<unknown>, what: string): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`Waited in vain for ${what}.`)), patienceMs);
  try {
    await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
