import { Worker } from "node:worker_threads";

/** Kills this process from another thread, because the thread that commits is busy while it does. */
export interface Killer {
  /** Kills after the time, whatever the other threads do. */
  killIn(delayMs: number): void;
}

const program = `
const { workerData } = require("node:worker_threads");
const flag = new Int32Array(workerData);
Atomics.wait(flag, 0, 0);
if (flag[1] > 0) Atomics.wait(flag, 2, 0, flag[1]);
process.kill(process.pid, "SIGKILL");
`;

/** Starts the thread, which sleeps until it is told. */
export function createKiller(): Killer {
  const shared = new SharedArrayBuffer(12);
  const flag = new Int32Array(shared);
  const worker = new Worker(program, { eval: true, workerData: shared });
  worker.unref();
  return {
    killIn(delayMs) {
      Atomics.store(flag, 1, delayMs);
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    },
  };
}
