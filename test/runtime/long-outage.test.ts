import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("programs/long-outage.ts", import.meta.url));

interface Sample {
  readonly heap: number;
  readonly timers: number;
  readonly listeners: number;
  readonly workers: number;
}

interface Report {
  readonly atRest: Sample;
  readonly samples: readonly Sample[];
  readonly afterwards: Sample;
  readonly stopped: { readonly timers: number; readonly listeners: number };
  readonly refused: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly callsWhileDown: number;
  readonly mostWorkers: number;
  readonly mostAtOnce: number;
  readonly atOnce: readonly number[];
  readonly disordered: number;
  readonly answers: { readonly slowest: number; readonly percentile99: number };
}

it("should hold out for an hour without the vendor while 200 users write up to the limits, then deliver all of it in order, step by step, while 5000 stored events come in [F165 recovery, F166 outage]", async () => {
  const [conversations, minutes] = [200, 60];
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--no-flush-bytecode",
    program,
    String(conversations),
    String(minutes),
  ]);
  const report = JSON.parse(stdout) as Report;

  // Everything that was taken arrived, in order, in both directions; the rest was refused with a word about why.
  expect(report.disordered).toBe(0);
  expect(report.waiting).toBeGreaterThan(conversations * 13);
  expect(report.waiting).toBeLessThanOrEqual(conversations * 15);
  expect(Object.keys(report.refused).toSorted()).toEqual(["OVERLOADED", "TOO_MANY_WAITING"]);

  // What waits, waits in the store: memory does not grow with the outage.
  for (const { heap, timers, listeners, workers } of report.samples) {
    expect(heap - report.atRest.heap).toBeLessThan(conversations * 50_000);
    expect(workers).toBeLessThanOrEqual(conversations);
    expect(timers).toBeLessThanOrEqual(20 + workers * 5);
    expect(listeners).toBe(report.atRest.listeners);
  }
  expect(report.afterwards).toMatchObject({ timers: report.atRest.timers, listeners: report.atRest.listeners, workers: 0 });
  expect(report.afterwards.heap - report.atRest.heap).toBeLessThan(conversations * 50_000);
  expect(report.stopped).toEqual({ timers: 0, listeners: 0 });

  // What was under way when it went down; then one try at a time, at most every half a minute or so; then one more at once with each success.
  expect(report.callsWhileDown).toBeLessThan(100 + minutes * 4);
  expect(report.atOnce.every((count, index) => count <= (index + 2) / 2)).toBe(true);
  expect(report.mostAtOnce).toBeLessThanOrEqual(100);
  expect(report.mostWorkers).toBeLessThanOrEqual(conversations);
  expect(report.answers.percentile99).toBeLessThan(1_000);
}, 300_000);
