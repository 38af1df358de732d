import type { Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { countWrites } from "./support/counted-writes.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { useWorld } from "./support/use-world.ts";
import { quickTiming, type World, type WorldOptions } from "./support/world.ts";

const open = useWorld();
const windowMs = quickTiming.reorderWindowMs ?? 0;

/** A conversation with a desk. The time stands still, so that nothing is written for another reason than a message. */
async function openTalk(options: WorldOptions) {
  const counted = countWrites();
  const clock = createManualClock();
  const world = await open({ ...options, wrapStore: counted.wrap, runtime: { clock, ...options.runtime } });
  const recorder = world.record("c");
  await world.say("c", "1", "agent please");
  await recorder.untilStatus("queued");
  const [ticket = ""] = world.vendor.backend.conversations().map(({ id }) => id);
  await world.vendor.backend.agentAccepts(ticket);
  await rest(world);
  // The first that a desk tells waits for what may have been before it; what follows on it does not.
  await clock.advance(windowMs);
  const during = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    await rest(world);
    counted.take();
    await act();
    await rest(world);
    return [...counted.take()].sort();
  };
  return {
    world,
    during,
    /** What is written while a message of the user comes to the desk. */
    userSays: (text: string, { writes = 3 } = {}) =>
      during(async () => {
        await world.say("c", text.slice(0, 20), text);
        await counted.until(/./, writes);
      }),
    agentSays: (text: string) =>
      during(async () => {
        await world.vendor.backend.agentSays(ticket, text);
        await counted.until(/commit: agent/);
      }),
  };
}

/** The desk has told everything, and what came of it is stored. */
async function rest(world: World): Promise<void> {
  await world.quiet();
  await world.vendor.backend.settle();
  await world.quiet();
}

/** Counts how often handovers are asked for. */
function countHandoverReads() {
  const counted = { reads: 0 };
  const wrap = (inner: Store): Store =>
    new Proxy(inner, {
      get(target, name) {
        if (name === "readHandover") counted.reads += 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  return { counted, wrap };
}

describe("what is read for a relayed message", () => {
  it("should not become more the longer people talk", async () => {
    const { counted, wrap } = countHandoverReads();
    const world = await open({ wrapStore: wrap, vendor: { webhooks: "none" }, runtime: { clock: createManualClock() } });
    const chat = world.record("c");
    await world.say("c", "1", "agent please");
    await chat.untilStatus("queued");
    const sent = () => world.vendor.backend.conversations()[0]?.messages.length ?? 0;
    await rest(world);
    const perMessage: number[] = [];
    for (let number = 1; number <= 12; number += 1) {
      const [before, reads] = [sent(), counted.reads];
      await world.say("c", `m${number}`, `message ${number}`);
      await expect.poll(sent, { timeout: 15_000 }).toBe(before + 1);
      await rest(world);
      perMessage.push(counted.reads - reads);
    }
    // Each lane asks once, or once more when something comes while it works.
    expect(perMessage.at(-1)).toBeLessThanOrEqual((perMessage[0] ?? 0) + 6);
  });
});

describeOnStores("what is written for a relayed message", (store) => {
  it("should take a user's message in with one write, and bring it to the desk with two: before the call and after it", async () => {
    const talk = await openTalk({ store, vendor: { webhooks: "none" } });
    for (const text of ["one", "two", "three"]) {
      expect(await talk.userSays(text)).toEqual(["commit: part sending", "commit: part sent", "commit: user"]);
    }
  });

  it("should write two more for a desk that echoes what it got: its delivery, and that it is dealt with", async () => {
    const talk = await openTalk({ store });
    for (const text of ["one", "two", "three"]) {
      const writes = await talk.userSays(text, { writes: 5 });
      // The echo may come before the answer to the call, and then says what the answer would have said.
      expect(writes).toHaveLength(5);
      expect(writes).toEqual(expect.arrayContaining(["commit: part sending", "commit: user", "receive"]));
    }
  });

  it("should write two for each further part of a long message", async () => {
    const talk = await openTalk({ store, vendor: { webhooks: "none" } });
    // The vendor takes 1,000 characters at once.
    const [first = "", second = "", third = ""] = ["a", "b", "c"].map((letter) => letter.repeat(990));
    const writes = await talk.userSays(`${first} ${second} ${third}`, { writes: 7 });
    expect(writes).toHaveLength(1 + 3 * 2);
    // All parts are stored together with the announcement of the first.
    expect(writes).toContain("commit: part sending part planned part planned");
  });

  it("should take an agent's message in with one write, and show it with one", async () => {
    const talk = await openTalk({ store });
    await talk.agentSays("good day");
    for (const text of ["one", "two", "three"]) {
      expect(await talk.agentSays(text)).toEqual(["commit: agent delivery", "receive"]);
    }
  });

  it("should write one more for each entry that a push channel has taken", async () => {
    const talk = await openTalk({ store, vendor: { webhooks: "none" } });
    talk.world.runtime.onEntry(async () => undefined);
    await talk.during(() => talk.world.say("c", "begin", "begin"));
    expect(await talk.userSays("one", { writes: 4 })).toEqual([
      "commit: part sending",
      "commit: part sent",
      "commit: pushedThrough",
      "commit: user",
    ]);
  });

  it("should write a bot's answer together with how far the bot is", async () => {
    const counted = countWrites();
    const world = await open({ store, wrapStore: counted.wrap, runtime: { clock: createManualClock() } });
    const recorder = world.record("c");
    await world.say("c", "1", "hello");
    await recorder.until("the first answer", ({ text }) => text === "echo hello");
    await rest(world);
    counted.take();
    await world.say("c", "2", "again");
    await recorder.until("the answer", ({ text }) => text === "echo again");
    await rest(world);
    expect(counted.take()).toEqual(["commit: user", "commit: bot botThrough botRetry"]);
  });
});
