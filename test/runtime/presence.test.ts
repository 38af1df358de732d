import type { Bot, HandoverRuntime } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { describeOnPostgres, describeOnStores } from "./support/on-stores.ts";
import { passTime, type PassingTime } from "./support/pass-time.ts";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";
import type { StoreName } from "./support/world-store.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
/** What a killed instance had is soon taken over. */
const shortLease = { callTimeoutMs: 600, leaseMs: 900 };

/** A handover in the queue of a desk, and a user who is there. */
async function openTalk(store: StoreName, options: WorldOptions = {}, realGraceMs = 200) {
  const time = passTime(store);
  const graceMs = time.isManual ? 30_000 : realGraceMs;
  const world = await open({
    ...options,
    store,
    runtime: { ...time.runtime, ...options.runtime },
    timing: { ...options.timing, ...time.timing, presenceGraceMs: graceMs },
  });
  const says = (isPresent: boolean, runtime: HandoverRuntime = world.runtime) => runtime.setPresence({ ...address, isPresent });
  await says(true);
  const ticket = await queue(world, time);
  return { world, time, graceMs, says, ticket, told: () => world.vendor.backend.conversation(ticket).signals.presence };
}

async function queue(world: World, time: PassingTime): Promise<string> {
  const chat = world.record("c");
  await world.say("c", "1", "agent");
  await time.until("queued", () => chat.statuses().includes("queued"));
  await world.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
  return world.vendor.backend.conversations()[0]!.id;
}

describeOnStores("a user who goes and comes", (store) => {
  it("should be nothing to the desk for twenty short absences, and for a real one exactly one that left and one that joined [F028]", async () => {
    // Long enough that a machine under load is not slower than a user who comes back.
    const { time, graceMs, says, told } = await openTalk(store, {}, 2_000);
    for (let times = 0; times < 20; times += 1) {
      await says(false);
      await time.pass(graceMs / 4);
      await says(true);
      await time.pass(graceMs / 8);
    }
    await time.pass(20 * graceMs);
    expect(told()).toEqual([]);
    await says(false);
    await time.pass(graceMs - 2_000);
    expect(told()).toEqual([]);
    await time.until("left", () => told().length === 1);
    await time.pass(20 * graceMs);
    await says(true);
    await time.until("joined", () => told().length === 2);
    await time.pass(20 * graceMs);
    expect(told()).toEqual([false, true]);
  });

  it("should be told in the order in which it happened, also by a desk that refuses at first", async () => {
    const { world, time, says, told } = await openTalk(store);
    world.vendor.backend.setFaults({ failRate: 1, status: 503, times: 3, only: "POST /conversations/:/presence" });
    await says(false);
    await time.until("left", () => told().length === 1);
    await says(true);
    await time.until("joined", () => told().length === 2);
    expect(told()).toEqual([false, true]);
    expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  it("should not be told twice when the answer of the desk was lost", async () => {
    const { world, time, says, told } = await openTalk(store);
    world.vendor.backend.setFaults({ loseAnswerRate: 1, times: 1, only: "POST /conversations/:/presence" });
    await says(false);
    await time.until("left", () => told().length === 1);
    await says(true);
    await time.until("joined", () => told().length === 2);
    expect(told()).toEqual([false, true]);
  });

  it("should be told although the process that saw the user go is gone before the grace time is over", async () => {
    const { world, time, says, told } = await openTalk(store, { timing: shortLease });
    await says(false);
    await world.kill();
    await world.another();
    await time.until("left", () => told().length === 1);
    await world.runtime.setPresence({ ...address, isPresent: true });
    await time.until("joined", () => told().length === 2);
    expect(told()).toEqual([false, true]);
  });

  it("should be told when the process that had the user was killed without a word, and nobody came back", async () => {
    const { world, time, told } = await openTalk(store, { timing: shortLease });
    // Until it is known that somebody is there.
    await world.vendor.backend.settle();
    await time.pass(1_000);
    await world.quiet();
    await world.kill();
    await world.another();
    await time.until("left", () => told().length === 1);
    expect(told()).toEqual([false]);
  });

  it("should run no bot and make no entry, whatever is typed, read, or told of the queue; the queue does when it is switched on [F137]", async () => {
    for (const [events, expected] of [
      [undefined, ["agent"]],
      [
        ["queued", "ended"],
        ["agent", "queued"],
      ],
    ] as const) {
      const turns: string[] = [];
      const bot: Bot = {
        ...(events ? { events } : {}),
        async answer({ message, event }) {
          turns.push(event?.type ?? message?.text ?? "");
          return message?.text === "agent" ? { handover: {}, messages: [{ text: "one moment" }] } : {};
        },
      };
      const { world, time, says, told, ticket } = await openTalk(store, { bot });
      const chat = world.record("c");
      const { backend } = world.vendor;
      for (const isTyping of [true, false]) {
        await world.runtime.setTyping({ ...address, isTyping });
        backend.people.type(ticket, isTyping);
      }
      backend.people.read(ticket);
      backend.setQueue({ position: 7, estimatedWaitSeconds: 60 });
      await says(false);
      await time.until("left", () => told().length === 1);
      await says(true);
      await time.until("joined", () => told().length === 2);
      await backend.agentSays(ticket, "hello");
      await time.until("the agent", () => chat.lines().includes("agent: hello"));
      await world.runtime.markRead({ ...address, seq: chat.entries.at(-1)!.seq });
      await time.until("read", () => backend.conversation(ticket).signals.receipts.length > 0);
      await world.say("c", "2", "thank you");
      await backend.waitFor(([one]) => one?.messages.at(-1)?.text === "thank you");
      expect(turns).toEqual(expected);
      const messages = chat.visible().filter(({ kind }) => kind === "message");
      expect(messages.map(({ text }) => text)).toEqual(["agent", "one moment", "hello", "thank you"]);
    }
  });
});

describe("the desk that does not want to know", () => {
  it.each([
    { connectsMessage: false, disconnectsMessage: true, expected: [false, false] },
    { connectsMessage: true, disconnectsMessage: false, expected: [true, true] },
    { connectsMessage: false, disconnectsMessage: false, expected: [] },
  ])(
    "should hear of neither, or only of the other: connects $connectsMessage, disconnects $disconnectsMessage [F071 part: test vendor]",
    async ({ expected, ...handover }) => {
      const { time, graceMs, says, told } = await openTalk("sqlite", { handover });
      for (const isPresent of [false, true, false, true]) {
        await says(isPresent);
        await time.pass(2 * graceMs);
      }
      expect(told()).toEqual(expected);
    },
  );

  it("should hear nothing of users whose channel says nothing, nothing before people were asked for or after the end, and then of who had gone by then", async () => {
    const time = passTime("sqlite");
    const world = await open({ runtime: time.runtime, timing: time.timing });
    const ticket = await queue(world, time);
    const told = (id = ticket) => world.vendor.backend.conversation(id).signals.presence;
    await time.pass(300_000);
    expect(told()).toEqual([]);
    await world.runtime.setPresence({ ...address, isPresent: true });
    await world.runtime.setPresence({ ...address, isPresent: false });
    await world.runtime.endHandover(address);
    await time.pass(60_000);
    for (const isPresent of [true, false]) {
      await world.runtime.setPresence({ ...address, isPresent });
      await time.pass(60_000);
    }
    expect(told()).toEqual([]);
    await world.runtime.requestHandover(address);
    const [, second] = await world.vendor.backend.waitFor((all) => all.length === 2);
    await time.until("gone", () => told(second!.id).length > 0);
    await time.pass(300_000);
    expect(told(second!.id)).toEqual([false]);
    await expect(world.runtime.setPresence({ ...address, endpoint: "none", isPresent: true })).rejects.toMatchObject({
      code: "ENDPOINT_NOT_FOUND",
    });
  });
});

describeOnPostgres("a user with several instances", () => {
  it("should be there as long as one of them says so, and be told once", async () => {
    const { world, time, says, told } = await openTalk("postgres", {}, 1_000);
    const other = await world.another();
    await says(true, other);
    await says(false);
    await says(true);
    await says(false, other);
    await says(false);
    await says(true, other);
    const chat = world.record("c");
    // A message of the desk, after more than the grace time, shows that nothing was told until then.
    const sinceMs = time.now();
    await time.until("the grace time", () => time.now() - sinceMs > 1_200);
    await world.vendor.backend.agentSays(world.vendor.backend.conversations()[0]!.id, "hello");
    await time.until("the agent", () => chat.lines().includes("agent: hello"));
    expect(told()).toEqual([]);
    await says(false, other);
    await time.until("left", () => told().length === 1);
    await says(true);
    await time.until("joined", () => told().length === 2);
    expect(told()).toEqual([false, true]);
  });

  it("should be missed when the instance that had the user dies, although another one works the conversation", async () => {
    const { world, time, says, told } = await openTalk("postgres", { timing: shortLease });
    const other = await world.another();
    await says(true, other);
    await says(false);
    const sinceMs = time.now();
    await time.until("the grace time", () => time.now() - sinceMs > 300);
    expect(told()).toEqual([]);
    await world.kill(other);
    await time.until("left", () => told().length === 1);
    expect(told()).toEqual([false]);
  });
});
