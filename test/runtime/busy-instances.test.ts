import type { Logger } from "@handover/core";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

describe("an instance with more to do than it works on at once", () => {
  it("should give the places of conversations that only wait to those that have something to do", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: {} });
    const world = await open({ runtime: { ...desks.runtime, clock, limits: { conversationsAtOnce: 2 } } });
    const startedAtMs = clock.now();
    const names = Array.from({ length: 8 }, (_, index) => `c${index}`);
    for (const name of names) await world.say(name, "1", "hello");
    const chats = names.map((name) => world.record(name));
    const answered = () => chats.filter((chat) => chat.lines().includes("bot: echo hello")).length;
    await expect.poll(async () => (await clock.advance(5), answered()), { interval: 1 }).toBe(names.length);
    // Three rounds of two seconds each is what it would take if everybody kept its place.
    expect(clock.now() - startedAtMs).toBeLessThan(2_000);
    expect(world.runtime.metrics().find(({ name }) => name === "handover_workers")?.value).toBeLessThanOrEqual(2);
  });
});

describe("a logger that throws", () => {
  it("should cost a line of the log and nothing else", async () => {
    let lines = 0;
    const fail = () => {
      lines += 1;
      throw new Error("The disk of the log is full.");
    };
    const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail };
    const desks = scriptDesks({
      desk: {
        planMessage: () => {
          throw new Error("broken");
        },
      },
    });
    const world = await open({ runtime: { ...desks.runtime, logger } });
    const chat = world.record("c");
    await world.say("c", "0", "agent");
    await chat.untilStatus("queued");
    await world.say("c", "1", "first");
    await world.say("c", "2", "second");
    await expect.poll(() => chat.visible().filter(({ event }) => event === "message-failed").length).toBe(2);
    expect(lines).toBeGreaterThan(0);
  });
});
