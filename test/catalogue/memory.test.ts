import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("programs/many-handovers.ts", import.meta.url));

interface Rest {
  readonly heap: number;
  readonly timers: number;
  readonly listeners: number;
  readonly processTimers: number;
}

interface Report {
  readonly atStart: Rest;
  readonly before: Rest;
  readonly after: Rest;
  readonly stopped: { readonly timers: number; readonly listeners: number };
  readonly ended: number;
}

it("should keep nothing of 4000 handovers in memory once they have ended: heap within 3 %, no timer, no listener [F166 4000 handovers]", async () => {
  // The first ones fill the caches of the runtime and of Node; what counts is what the others add. Without the flag
  // Node throws away code in between, several times as much as a leak would add.
  const [warmUp, measured] = [1_000, Number(process.env["HANDOVER_MEMORY"] ?? 4_000)];
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--no-flush-bytecode",
    program,
    String(warmUp),
    String(measured),
  ]);
  const { atStart, before, after, stopped, ended } = JSON.parse(stdout) as Report;
  expect(ended).toBe(warmUp + measured);
  expect(after.heap).toBeLessThan(before.heap * 1.03);
  const counts = ({ timers, listeners, processTimers }: Rest) => ({ timers, listeners, processTimers });
  expect(counts(after)).toEqual(counts(atStart));
  expect(stopped).toEqual({ timers: 0, listeners: 0 });
}, 180_000);
