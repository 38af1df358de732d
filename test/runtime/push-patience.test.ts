import { HandoverError } from "@handover/core";
import type { Store } from "@handover/runtime";
import { expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

it("should have as much patience with an entry as ever, although this instance pushed another one in vain before somebody else did it", async () => {
  const clock = createManualClock();
  let shared: Store | undefined;
  const wrapStore = (store: Store): Store => (shared = store);
  const world = await open({ hasBot: false, wrapStore, runtime: { clock } });
  const pushed: string[] = [];
  let isDown = true;
  let tries = 0;
  world.runtime.onEntry(async (entry) => {
    tries += 1;
    if (isDown) throw new HandoverError({ code: "DOWN", message: "The channel is down.", effect: "connection", isRetryable: true });
    pushed.push(entry.kind === "hidden" ? "" : (entry.text ?? ""));
  });
  await world.say("c", "1", "first");
  await expect.poll(async () => (await clock.advance(20), tries)).toBeGreaterThan(0);
  // As another instance does that has taken the conversation over.
  await shared?.commit({ conversation: "web/c", update: { pushedThrough: 1 } });
  await clock.advance(3_600_000);
  tries = 0;
  await world.say("c", "2", "second");
  await expect.poll(async () => (await clock.advance(20), tries)).toBeGreaterThan(0);
  isDown = false;
  await expect.poll(async () => (await clock.advance(20), pushed)).toEqual(["second"]);
});
