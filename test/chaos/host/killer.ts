import { Worker } from "node:worker_threads";

/** Kills or freezes this process from another thread, because the thread that commits is busy while it does. */
export interface Killer {
  /** Sends the signal after the time, whatever the other threads do. */
  signalIn(delayMs: number, signal: "SIGKILL" | "SIGSTOP"): void;
}

const program = `
const { workerData } = require("node:worker_threads");
const [state, delay, signal, never] = [0, 1, 2, 3];
const flag = new Int32Array(workerData);
for (;;) {
  Atomics.wait(flag, state, 0);
  Atomics.store(flag, state, 0);
  if (flag[delay] > 0) Atomics.wait(flag, never, 0, flag[delay]);
  process.kill(process.pid, flag[signal] === 1 ? "SIGSTOP" : "SIGKILL");
}
`;

/** Starts the thread, which sleeps until it is told. */
export function createKiller(): Killer {
  const shared = new SharedArrayBuffer(16);
  const flag = new Int32Array(shared);
  const worker = new Worker(program, { eval: true, workerData: shared });
  worker.unref();
  return {
    signalIn(delayMs, signal) {
      Atomics.store(flag, 1, delayMs);
      Atomics.store(flag, 2, signal === "SIGSTOP" ? 1 : 0);
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    },
  };
}
