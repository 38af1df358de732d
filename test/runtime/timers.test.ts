import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { useWorld } from "./support/use-world.ts";
import type { World } from "./support/world.ts";

const open = useWorld();

const workers = (opened: World) => opened.runtime.metrics().find((metric) => metric.name === "handover_workers")?.value;

describe("timers", () => {
  it("should give a quiet conversation back and still keep its time limit, also over a restart [F158 timer]", async () => {
    const clock = createManualClock();
    const world = await open({ runtime: { clock }, handover: { acceptTimeoutMs: 180_000 }, vendor: { abilities: { catchUp: false } } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await expect.poll(async () => (await clock.advance(3_000), workers(world))).toBe(0);
    await world.restart();
    const after = world.record("c");
    await expect.poll(async () => (await clock.advance(20_000), after.statuses()), { timeout: 15_000 }).toContain("ended/timed-out");
    expect(world.vendor.backend.conversations().map((one) => one.status)).toEqual(["closed"]);
    expect(clock.now() - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(180_000);
  });

  it("should hold an active handover through a minute without the vendor and deliver everything afterwards [F069]", async () => {
    const clock = createManualClock();
    const world = await open({ runtime: { clock } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    const [ticket] = await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    await world.vendor.backend.agentSays(ticket!.id, "hello");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("active");
    world.vendor.backend.setFaults({ failRate: 1, status: 503 });
    for (const text of ["one", "two", "three"]) await world.say("c", text, text);
    for (let second = 0; second < 60; second += 1) await clock.advance(1_000);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    world.vendor.backend.setFaults({});
    await expect.poll(async () => (await clock.advance(1_000), world.vendor.backend.conversations()[0]!.messages.length)).toBe(6);
    expect(
      world.vendor.backend
        .conversations()[0]!
        .messages.slice(3)
        .map((message) => message.text),
    ).toEqual(["one", "two", "three"]);
    expect(chat.visible().filter((entry) => entry.event === "message-failed")).toEqual([]);
  });

  it("should tell the sender when a message cannot be delivered within its limit, and go on with the next [F012 user side, F164]", async () => {
    const clock = createManualClock();
    const world = await open({ runtime: { clock } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    world.vendor.backend.setFaults({ failRate: 1, status: 400, times: 1, only: "POST /conversations/:/messages" });
    await world.say("c", "bad", "never");
    await world.say("c", "good", "after it");
    await expect.poll(async () => (await clock.advance(500), world.vendor.backend.conversations()[0]!.messages.length)).toBe(3);
    const notice = await chat.until("the notice", (entry) => entry.event === "message-failed");
    expect(chat.visible().find((entry) => entry.seq === notice.about)?.id).toBe("bad");
    expect(world.vendor.backend.conversations()[0]!.messages.at(-1)?.text).toBe("after it");
    expect(world.log.filter((line) => line.level === "error")).toHaveLength(1);
  });

  it("should find a lost webhook within a quarter of the interval while people are talking", async () => {
    const clock = createManualClock();
    const world = await open({ runtime: { clock }, vendor: { clock, eventNumbers: "sparse" }, timing: { catchUpIntervalMs: 60_000 } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    const [ticket] = await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    world.vendor.backend.setFaults({ dropWebhookRate: 1 });
    const saidAtMs = clock.now();
    await world.vendor.backend.agentSays(ticket!.id, "lost");
    await expect.poll(async () => (await clock.advance(1_000), chat.lines()), { timeout: 8_000 }).toContain("agent: lost");
    expect(clock.now() - saidAtMs).toBeLessThan(40_000);
  });
});
