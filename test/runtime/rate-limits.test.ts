import type { RateLimit } from "@handover/core";
import { createHandoverRuntime } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "./support/manual-clock.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const minute = 60_000;

interface Made {
  readonly method: string;
  readonly atMs: number;
  readonly text?: string;
}

/** A desk that writes down when it was called. */
function limitedDesk(clock: ManualClock, rateLimit: RateLimit | undefined, script: DeskScript = {}) {
  const made: Made[] = [];
  const note = (method: string, text?: string) => void made.push({ method, atMs: clock.now(), ...(text === undefined ? {} : { text }) });
  const desks = scriptDesks({
    desk: {
      ...(rateLimit ? { rateLimit } : {}),
      async start(request) {
        note("start");
        return {
          references: [`ticket:${request.handoverId}`],
          state: {},
          transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
          relay: "both",
        };
      },
      async sendMessage(handover, part) {
        note("sendMessage", `${handover.conversation} ${part.message.text ?? ""}`);
        return {};
      },
      async end() {
        note("end");
        return "ended";
      },
      ...script,
    },
  });
  return { desks, made, note };
}

/** The most calls in any stretch of this length. */
function mostCallsIn(made: readonly Made[], perMs: number): number {
  return Math.max(...made.map(({ atMs }) => made.filter((other) => other.atMs >= atMs && other.atMs < atMs + perMs).length));
}

async function moveUntil(clock: ManualClock, stepMs: number, isDone: () => boolean): Promise<void> {
  await expect.poll(async () => (await clock.advance(stepMs), isDone()), { timeout: 30_000, interval: 1 }).toBe(true);
}

describe("the rate limit of an account", () => {
  it("should keep to it whatever is written, send everything in order, and lose nothing [F101 budget]", async () => {
    const clock = createManualClock();
    const limit = { calls: 20, perMs: minute };
    const { desks, made } = limitedDesk(clock, limit);
    const world = await open({ runtime: { ...desks.runtime, clock }, timing: { startTimeoutMs: 60 * minute } });
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await world.say(name, "0", "agent");
    await moveUntil(clock, 1_000, () => made.filter(({ method }) => method === "start").length === names.length);
    for (let index = 1; index <= 10; index += 1) for (const name of names) await world.say(name, String(index), `line ${index}`);
    await moveUntil(clock, 1_000, () => made.filter(({ method }) => method === "sendMessage").length === 50);
    expect(mostCallsIn(made, limit.perMs)).toBeLessThanOrEqual(limit.calls);
    // Nor much slower than it may: 55 calls at 20 a minute.
    expect(clock.now() - (made[0]?.atMs ?? 0)).toBeLessThan(4.5 * minute);
    for (const name of names) {
      const texts = made.flatMap(({ text }) => (text?.startsWith(`${name} `) ? [text.slice(2)] : []));
      expect(texts).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index + 1}`));
    }
  });

  it("should let users' messages go first, then ends, and comparisons last, which starve nobody [F145 part: shared budget]", async () => {
    const clock = createManualClock();
    const limit = { calls: 40, perMs: minute };
    const { desks, made, note } = limitedDesk(clock, limit, {
      async catchUp() {
        note("catchUp");
        return { deliveries: [], cursor: null, hasMore: false };
      },
    });
    const timing = { catchUpIntervalMs: 4_000, startTimeoutMs: 60 * minute };
    const world = await open({ runtime: { ...desks.runtime, clock }, timing });
    const names = Array.from({ length: 30 }, (_, index) => `c${index}`);
    for (const name of names) await world.say(name, "0", "agent");
    await moveUntil(clock, 1_000, () => made.filter(({ method }) => method === "start").length === names.length);
    // 30 handovers that want to be compared every second or four: the comparisons use what there is.
    for (let step = 0; step < 120; step += 1) await clock.advance(1_000);
    const before = made.length;
    expect(made.filter(({ method }) => method === "catchUp").length).toBeGreaterThan(40);
    const saidAtMs = clock.now();
    for (const name of names.slice(0, 4)) await world.say(name, "1", "hello?");
    for (const name of names.slice(5, 7)) await world.runtime.endHandover({ endpoint: "web", conversation: name });
    await moveUntil(clock, 100, () => made.slice(before).filter(({ method }) => method !== "catchUp").length >= 6);
    const urgent = made.slice(before).filter(({ method }) => method !== "catchUp");
    // They are kept calls that no comparison may have: nobody waits for the bucket to fill.
    expect(Math.max(...urgent.filter(({ method }) => method === "sendMessage").map(({ atMs }) => atMs)) - saidAtMs).toBeLessThan(1_000);
    expect(Math.max(...urgent.map(({ atMs }) => atMs)) - saidAtMs).toBeLessThan(10_000);
    expect(mostCallsIn(made, limit.perMs)).toBeLessThanOrEqual(limit.calls);
  });

  it("should count what a method costs, and take the operator's limit instead of the provider's", async () => {
    const clock = createManualClock();
    const { desks, made } = limitedDesk(clock, { calls: 1_000, perMs: minute, costs: { sendMessage: 4 } });
    const connections = { desk: { ...desks.runtime.connections["desk"]!, rateLimit: { calls: 24, perMs: minute } } };
    const world = await open({ runtime: { ...desks.runtime, connections, clock } });
    await world.say("c", "0", "agent");
    await moveUntil(clock, 1_000, () => made.length === 1);
    for (let index = 1; index <= 20; index += 1) await world.say("c", String(index), `line ${index}`);
    await moveUntil(clock, 1_000, () => made.length === 21);
    const sends = made.filter(({ method }) => method === "sendMessage");
    expect(mostCallsIn(sends, minute)).toBeLessThanOrEqual(6);
    expect(mostCallsIn(sends, minute)).toBeGreaterThanOrEqual(4);
  });

  it("should refuse a limit that means nothing", async () => {
    const desks = scriptDesks({ desk: {} });
    const connections = (rateLimit: RateLimit) => ({ desk: { ...desks.runtime.connections["desk"]!, rateLimit } });
    const create = (rateLimit: RateLimit) =>
      createHandoverRuntime({ ...desks.runtime, connections: connections(rateLimit), store: undefined as never });
    await expect(create({ calls: 0, perMs: 1_000 })).rejects.toThrow(/rateLimit.*whole number of calls/);
    await expect(create({ calls: 10, perMs: 0 })).rejects.toThrow(/rateLimit.*1 ms or more/);
  });

  it("should drop typing signs when the budget is short, and not users' messages", async () => {
    const clock = createManualClock();
    const typed: boolean[] = [];
    const { desks, made } = limitedDesk(
      clock,
      { calls: 8, perMs: minute },
      { setTyping: async (_, isTyping) => void typed.push(isTyping) },
    );
    const world = await open({ runtime: { ...desks.runtime, clock } });
    await world.say("c", "0", "agent");
    await moveUntil(clock, 1_000, () => made.length === 1);
    await clock.advance(2 * minute);
    const type = () => world.runtime.setTyping({ endpoint: "web", conversation: "c", isTyping: true });
    for (let index = 0; index < 10; index += 1) {
      await type();
      await clock.advance(3_000);
    }
    expect(typed.length).toBeGreaterThan(0);
    expect(typed.length).toBeLessThanOrEqual(8);
    await world.say("c", "1", "at once");
    const saidAtMs = clock.now();
    await moveUntil(clock, 50, () => made.length === 2);
    expect(clock.now() - saidAtMs).toBeLessThan(1_000);
  });
});
