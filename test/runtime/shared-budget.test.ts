import { RateLimitedError } from "@handover/core";
import type { HandoverRuntime, Store } from "@handover/runtime";
import { expect, it } from "vitest";
import { describeOnPostgres } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

/** A desk that writes down when it was called, for instances in one process. */
function sharedDesk(script: DeskScript = {}) {
  const made: { readonly text: string; readonly atMs: number }[] = [];
  const desks = scriptDesks({
    desk: {
      async sendMessage(handover, part) {
        made.push({ text: `${handover.conversation} ${part.message.text ?? ""}`, atMs: performance.now() });
        return {};
      },
      ...script,
    },
  });
  return { desks, made };
}

/** Notes the names of the methods that are called. */
function counting(store: Store, calls: string[]): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        calls.push(String(name));
        return (value as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}

const pauses = (runtime: HandoverRuntime): number | undefined =>
  runtime.metrics().find(({ name }) => name === "handover_paused_accounts")?.value;

describeOnPostgres("an account that several instances call", () => {
  it("should share one budget among instances: together no more than the vendor allows, all in order [F101 budget, F155 part: budget]", async () => {
    const limit = { calls: 40, perMs: 4_000 };
    const starts: number[] = [];
    const { desks, made } = sharedDesk({
      rateLimit: limit,
      async start(request) {
        starts.push(performance.now());
        return {
          references: [`t:${request.handoverId}`],
          state: {},
          transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
          relay: "both",
        };
      },
    });
    const world = await open({ store: "postgres", runtime: desks.runtime });
    await world.another();
    await world.another();
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const name of names) await world.say(name, "0", "agent");
    for (const name of names) await world.record(name).untilStatus("queued");
    for (let index = 1; index <= 10; index += 1) await Promise.all(names.map((name) => world.say(name, String(index), `line ${index}`)));
    await expect.poll(() => made.length, { timeout: 15_000 }).toBe(60);
    for (const name of names) {
      const texts = made.flatMap(({ text }) => (text.startsWith(`${name} `) ? [text.slice(2)] : []));
      expect(texts).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index + 1}`));
    }
    const times = [...made.map(({ atMs }) => atMs), ...starts];
    const inAnyWindow = times.map((fromMs) => times.filter((atMs) => atMs >= fromMs && atMs < fromMs + limit.perMs).length);
    // The bucket is filled by the database's clock, the calls are timed by ours: a few milliseconds apart.
    expect(Math.max(...inAnyWindow)).toBeLessThanOrEqual(limit.calls + 2);
  }, 30_000);

  it("should wait on all instances when one was told to wait [F101 part: instances]", async () => {
    let refusedAtMs: number | undefined;
    const { desks, made } = sharedDesk({
      async sendMessage(handover, part) {
        if (part.message.text === "too much" && refusedAtMs === undefined) {
          refusedAtMs = performance.now();
          throw new RateLimitedError({ message: "Slow down.", status: 429, retryAfterMs: 2_000 });
        }
        made.push({ text: `${handover.conversation} ${part.message.text ?? ""}`, atMs: performance.now() });
        return {};
      },
    });
    const world = await open({ store: "postgres", runtime: desks.runtime });
    const first = world.runtime;
    const second = await world.another();
    const say = (runtime: typeof first, conversation: string, id: string, text: string) =>
      runtime.receiveMessage({ endpoint: "web", conversation, message: { id, text } });
    // Each instance works on what came in through it, and keeps it for two seconds.
    await Promise.all([say(first, "a", "0", "agent"), say(second, "b", "0", "agent")]);
    await Promise.all([world.record("a").untilStatus("queued"), world.record("b").untilStatus("queued")]);
    await say(first, "a", "1", "too much");
    await expect.poll(() => refusedAtMs).toBeDefined();
    await expect.poll(() => pauses(second)).toBe(1);
    await say(second, "b", "1", "from b");
    await expect.poll(() => made.length, { timeout: 10_000 }).toBe(2);
    for (const { atMs } of made) expect(atMs - (refusedAtMs ?? 0)).toBeGreaterThan(1_900);
  }, 30_000);

  it("should ask the store for many calls at once: the relay needs hardly more statements with a limit than without", async () => {
    const perMessage = async (rateLimit: { calls: number; perMs: number } | undefined): Promise<number> => {
      const { desks, made } = sharedDesk(rateLimit ? { rateLimit } : {});
      const calls: string[] = [];
      const world = await open({ store: "postgres", wrapStore: (store) => counting(store, calls), runtime: desks.runtime });
      await world.say("c", "0", "agent");
      await world.record("c").untilStatus("queued");
      const count = 100;
      const before = calls.length;
      for (let index = 1; index <= count; index += 1) {
        await world.say("c", String(index), `line ${index}`);
        if (index % 10 === 0) await expect.poll(() => made.length, { interval: 2, timeout: 20_000 }).toBe(index);
      }
      return calls.slice(before).filter((name) => name === "takeBudget").length / count;
    };
    expect(await perMessage(undefined)).toBe(0);
    // One call, then twice as many each time, up to a tenth of what is there.
    expect(await perMessage({ calls: 6_000, perMs: 60_000 })).toBeLessThan(0.15);
  }, 120_000);
});
