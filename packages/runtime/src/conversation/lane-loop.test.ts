import { expect, it } from "vitest";
import type { LaneStep } from "../lanes/lane.ts";
import { idleUntil } from "../lanes/lane.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { createLaneLoop } from "./lane-loop.ts";

/** A loop whose clock keeps count of the timers that nobody has cancelled. */
function createLoop(step: LaneStep) {
  const timers = new Set<() => void>();
  const clock = {
    now: () => 0,
    after(_delayMs: number, callback: () => void) {
      timers.add(callback);
      return () => void timers.delete(callback);
    },
  };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const context = { clock, logger, timing: { retryFirstMs: 100, retryMaximumMs: 30_000 } } as unknown as RuntimeContext;
  const lease = { conversation: "web/c", signal: new AbortController().signal, hold: async () => undefined };
  const scope = { context, key: "web/c", fence: 1, lease };
  const loop = createLaneLoop({ context, scope, name: "test", step }, { onIdle: () => undefined, onLeaseLost: () => undefined });
  return { loop, timers };
}

it.each(["comes back", "fails"])("should leave no timer behind when it is stopped before its step %s", async (how) => {
  const answer = Promise.withResolvers<undefined>();
  const { loop, timers } = createLoop(async () => (await answer.promise, idleUntil(900_000)));
  loop.nudge();
  const stopped = loop.stop();
  if (how === "fails") answer.reject(new Error("The store is gone."));
  else answer.resolve(undefined);
  await stopped;
  expect(timers.size).toBe(0);
});

it("should wake up when the step has said so, and only once", async () => {
  let steps = 0;
  const { loop, timers } = createLoop(async () => ((steps += 1), idleUntil(5_000)));
  loop.nudge();
  await expect.poll(() => loop.isIdle).toBe(true);
  expect([steps, timers.size]).toEqual([1, 1]);
  for (const timer of timers) timer();
  await expect.poll(() => steps).toBe(2);
  await loop.stop();
  expect(timers.size).toBe(0);
});
