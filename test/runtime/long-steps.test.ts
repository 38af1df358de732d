import type { CaughtUp } from "@handover/core";
import type { Bot } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

describe("a step that takes longer than a stalled one may", () => {
  it("should be waited for while it is within the time that its bot may take", async () => {
    const clock = createManualClock();
    let turns = 0;
    const bot: Bot = {
      async answer() {
        turns += 1;
        await new Promise<void>((resolve) => clock.after(90_000, resolve));
        return { messages: [{ text: "I thought about it" }] };
      },
    };
    const world = await open({ bot, runtime: { clock }, timing: { botTimeoutMs: 120_000 } });
    const chat = world.record("c");
    await world.say("c", "1", "a hard question");
    for (let second = 0; second < 95; second += 1) await clock.advance(1_000);
    await expect.poll(() => chat.lines()).toContain("bot: I thought about it");
    expect(turns).toBe(1);
    expect(world.log.filter(({ fields }) => fields["code"] === "CONVERSATION_STALLED")).toEqual([]);
  });

  it("should be waited for while a vendor answers page after page", async () => {
    const clock = createManualClock();
    const asked: unknown[] = [];
    const desks = scriptDesks({
      desk: {
        async catchUp(_handover, cursor): Promise<CaughtUp> {
          asked.push(cursor);
          await new Promise<void>((resolve) => clock.after(12_000, resolve));
          const page = typeof cursor === "number" ? cursor + 1 : 1;
          return { deliveries: [], cursor: page, hasMore: page < 10 };
        },
      },
    });
    const timing = { callTimeoutMs: 15_000, catchUpIntervalMs: 3_600_000, stallMs: 60_000 };
    const world = await open({ runtime: { ...desks.runtime, clock }, timing });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(50), chat.statuses()), { interval: 1 }).toContain("queued");
    await expect.poll(async () => (await clock.advance(5_000), asked.length), { interval: 1 }).toBeGreaterThanOrEqual(10);
    await clock.advance(60_000);
    expect(asked).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(world.log.filter(({ fields }) => fields["code"] === "CONVERSATION_STALLED")).toEqual([]);
  });
});
