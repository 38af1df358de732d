import { HandoverError } from "@handover/core";
import type { Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { WorldOptions } from "./support/world.ts";

const open = useWorld();

const down = () => new HandoverError({ code: "DOWN", message: "The vendor is down.", effect: "connection", isRetryable: true });

/** Two conversations at one account, and a switch for its vendor. */
async function openTwo(script: DeskScript = {}, options: WorldOptions = {}) {
  const clock = createManualClock();
  let isDown = false;
  const desks = scriptDesks({
    desk: {
      async sendMessage(_handover, part) {
        if (isDown) throw down();
        desks.calls.push(`desk.send ${part.message.text ?? ""}`);
        return {};
      },
      ...script,
    },
  });
  const world = await open({ ...options, runtime: { ...desks.runtime, ...options.runtime, clock } });
  const opened = world;
  const chats = { c: opened.record("c"), d: opened.record("d") };
  for (const conversation of ["c", "d"] as const) {
    await opened.say(conversation, "1", "agent");
    await expect.poll(async () => (await clock.advance(50), chats[conversation].statuses())).toContain("queued");
  }
  return { clock, desks, opened, chats, setDown: (value: boolean) => void (isDown = value) };
}

describe("an account whose vendor is down", () => {
  it("should try with one call at a time and let everybody go on after the first that succeeds", async () => {
    const { clock, desks, opened, setDown } = await openTwo();
    setDown(true);
    await opened.say("c", "2", "from c");
    await opened.say("d", "2", "from d");
    await clock.advance(30_000);
    setDown(false);
    await expect
      .poll(async () => (await clock.advance(500), desks.calls.filter((call) => call.includes("send from")).toSorted()))
      .toEqual(["desk.send from c", "desk.send from d"]);
  });

  /** One conversation tries in vain now and then, the other one waits for its turn in memory, and in the store for much longer. */
  async function waitForTurn({ clock, opened, setDown }: Awaited<ReturnType<typeof openTwo>>) {
    const failures = () => opened.runtime.metrics().find((metric) => metric.labels["result"] === "DOWN")?.value ?? 0;
    setDown(true);
    for (const conversation of ["c", "d"]) await opened.say(conversation, "2", `from ${conversation}`);
    await expect.poll(async () => (await clock.advance(1_000), failures()), { interval: 1, timeout: 10_000 }).toBeGreaterThan(9);
    await clock.advance(10_000);
    setDown(false);
  }

  /** @returns how long it took until both were delivered */
  async function deliverBoth({ clock, desks }: Awaited<ReturnType<typeof openTwo>>) {
    const startedAtMs = clock.now();
    const delivered = () => desks.count("desk.send from c") + desks.count("desk.send from d");
    await expect.poll(async () => (await clock.advance(1_000), delivered()), { interval: 1, timeout: 20_000 }).toBe(2);
    return clock.now() - startedAtMs;
  }

  it("should let everybody go on soon after a crash, although only the process that died knew who waited for a turn", async () => {
    const script: DeskScript = { catchUp: async () => ({ deliveries: [], cursor: null, hasMore: false }), findChanged: async () => [] };
    const two = await openTwo(script, { timing: { retryMaximumMs: 30_000 } });
    await waitForTurn(two);
    await two.opened.kill();
    await two.opened.another();
    expect(await deliverBoth(two)).toBeLessThanOrEqual(70_000);
  });

  it("should not forget whose turn it is when another conversation takes the last place", async () => {
    let holdsPolls = false;
    const held: (() => void)[] = [];
    const wrapStore = (store: Store): Store => ({
      ...store,
      async claim(request) {
        if (holdsPolls && request.only === undefined) await new Promise<void>((resolve) => held.push(resolve));
        return store.claim(request);
      },
    });
    const timing = { retryMaximumMs: 30_000, catchUpIntervalMs: 3_600_000 };
    const options = { wrapStore, timing, runtime: { limits: { conversationsAtOnce: 1 } } };
    const two = await openTwo({}, options);
    await waitForTurn(two);
    holdsPolls = true;
    await expect.poll(async () => (await two.clock.advance(10), held.length), { interval: 1 }).toBe(1);
    await two.clock.advance(30_000);
    await two.opened.say("e", "1", "hello");
    holdsPolls = false;
    for (const release of held) release();
    expect(await deliverBoth(two)).toBeLessThanOrEqual(20_000);
  });

  it("should not stop for ever when the one that may try has nothing to call", async () => {
    const { clock, desks, opened, chats, setDown } = await openTwo({ end: undefined });
    setDown(true);
    await opened.say("c", "2", "from c");
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["result"] === "DOWN")?.value).toBeGreaterThan(0);
    await opened.runtime.endHandover({ endpoint: "web", conversation: "d" });
    await expect.poll(async () => (await clock.advance(100), chats.d.statuses().at(-1))).toBe("ended/cancelled");
    await clock.advance(1_000);
    setDown(false);
    await expect.poll(async () => (await clock.advance(2_000), desks.count("desk.send from c"))).toBe(1);
  });

  it("should let the next one try when the first one in the row is over", async () => {
    const { clock, desks, opened, chats, setDown } = await openTwo();
    setDown(true);
    await opened.say("c", "2", "from c");
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["result"] === "DOWN")?.value).toBeGreaterThan(0);
    await opened.say("d", "2", "from d");
    await expect.poll(async () => (await clock.advance(1), desks.calls.length)).toBeGreaterThan(0);
    await desks.deliver(opened.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] });
    await expect.poll(async () => (await clock.advance(100), chats.d.statuses().at(-1))).toBe("ended/completed");
    setDown(false);
    await expect.poll(async () => (await clock.advance(2_000), desks.count("desk.send from c"))).toBe(1);
  });

  it("should not be held up longer than its patience by a vendor that asks for a year", async () => {
    let tries = 0;
    const clock = createManualClock();
    const desks = scriptDesks({
      desk: {
        async start(request) {
          tries += 1;
          if (tries === 1)
            throw new HandoverError({ code: "BUSY", message: "Busy.", effect: "connection", isRetryable: true, retryAfterMs: 3e10 });
          return { references: [`t:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" };
        },
      },
    });
    const world = await open({ runtime: { ...desks.runtime, clock } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(1_000), chat.statuses())).toEqual(["requested", "ended/failed"]);
    await expect.poll(async () => (await clock.advance(60_000), clock.now() - Date.UTC(2026, 0, 1))).toBeGreaterThan(900_000);
    await world.say("c", "2", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
  });

  it("should let go of users who leave while the vendor is down for long, though others use up the tries [F063 outage]", async () => {
    const clock = createManualClock();
    let isDown = false;
    const desks = scriptDesks({
      desk: {
        sendMessage: () => (isDown ? Promise.reject(down()) : Promise.resolve({})),
        end: () => (isDown ? Promise.reject(down()) : Promise.resolve("ended")),
      },
    });
    const world = await open({ runtime: { ...desks.runtime, clock }, timing: { retryMaximumMs: 300_000, retryFirstMs: 300_000 } });
    const opened = world;
    const chats = ["a", "b", "d", "e"].map((name) => ({ name, chat: opened.record(name) }));
    for (const { name, chat } of chats) {
      await opened.say(name, "1", "agent");
      await expect.poll(async () => (await clock.advance(50), chat.statuses())).toContain("queued");
    }
    isDown = true;
    await opened.say("a", "2", "down");
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["result"] === "DOWN")?.value).toBe(1);
    for (const { name } of chats) await opened.runtime.endHandover({ endpoint: "web", conversation: name });
    for (let step = 0; step < 70; step += 1) {
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(20_000);
    }
    await expect.poll(() => chats.map(({ chat }) => chat.statuses().at(-1))).toEqual(Array(4).fill("ended/cancelled"));
    await opened.say("d", "3", "bot?");
    await expect.poll(async () => (await clock.advance(1_000), chats[2]!.chat.lines().at(-1))).toBe("bot: echo bot?");
  });
});
