import type { HandoverProvider } from "@handover/core";
import { createHandoverRuntime, whyNoTimer, type Bot, type BotAnswer, type BotTurn } from "@handover/runtime";
import { createTestVendor } from "@handover/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeOnPostgres, describeOnStores } from "./support/on-stores.ts";
import { passTime, type PassingTime } from "./support/pass-time.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { WorldOptions } from "./support/world.ts";
import type { StoreName } from "./support/world-store.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
const minuteMs = 60_000;

/** A bot that sets its timer in the queue and when somebody answers, and does what a test says when it goes off. */
function timingBot(minutes: number, onInactive: (count: number) => BotAnswer = () => ({})) {
  const turns: BotTurn[] = [];
  const bot: Bot = {
    events: ["queued", "active", "ended"],
    async answer(turn) {
      turns.push(turn);
      const { message, event } = turn;
      if (message) return message.text === "agent" ? { handover: {} } : {};
      if (event?.type === "queued" || event?.type === "active") return { inactivityTimer: { minutes } };
      return event?.type === "inactive" ? onInactive(event.count ?? 0) : {};
    },
  };
  const heard = () =>
    turns.map(({ message, event }) => message?.text ?? [event?.type, event?.count ?? event?.reason].filter(Boolean).join(" "));
  return { bot, heard };
}

/** Many minutes pass sooner where nobody looks for work without a hint. */
const calm = ({ isManual, timing }: PassingTime) => (isManual ? { ...timing, pollMs: 10_000 } : {});

async function openTalk(store: StoreName, bot: Bot, options: WorldOptions = {}) {
  const time = passTime(store);
  const world = await open({ ...options, store, bot, timing: calm(time), runtime: { ...time.runtime, ...options.runtime } });
  const chat = world.record("c");
  await world.say("c", "1", "agent");
  await time.until("queued", () => chat.statuses().includes("queued"));
  const [ticket] = await world.vendor.backend.waitFor(([one]) => (one?.messages.length ?? 0) >= 1);
  const agentSays = async (text: string) => {
    await world.vendor.backend.agentSays(ticket!.id, text);
    await time.until(text, () => chat.lines().includes(`agent: ${text}`));
  };
  return { world, time, chat, agentSays, ticket: ticket!.id };
}

/** Limits for silence are in milliseconds, and say so. */
async function expectLimitsRefused(): Promise<void> {
  const { providers, connections } = scriptDesks({ desk: {} }).runtime;
  const limits = { connections: ["desk"], acceptTimeoutMs: 1, userIdleTimeoutMs: 60_000 * minuteMs, agentIdleTimeoutMs: 0 };
  const made = createHandoverRuntime({ store: {} as never, providers, connections, endpoints: [{ token: "web", handover: limits }] });
  await expect(made).rejects.toMatchObject({
    message: expect.stringMatching(/userIdleTimeoutMs: 3600000000, which must be milliseconds[^]*agentIdleTimeoutMs: 0/) as string,
  });
}

/** In real time a minute is too long to wait for. */
const minutesFor = (time: Pick<PassingTime, "isManual">) => (time.isManual ? 2 : 300 / minuteMs);

describeOnStores("the bot's timer", (store) => {
  const minutes = minutesFor(passTime(store));

  it("should go off once for a user who says nothing, in the queue and in active, with count 1, over restarts, and change nothing; and have a unit that cannot be mixed up, as all limits have [F083]", async () => {
    const { bot, heard } = timingBot(minutes);
    const { world, time, chat } = await openTalk(store, bot);
    await time.until("the bot", () => heard().includes("queued"));
    await time.pass((minutes * minuteMs) / 2);
    await world.restart();
    const again = world.record("c");
    await time.until("the timer", () => heard().includes("inactive 1"));
    await time.pass(5 * minutes * minuteMs);
    expect(heard()).toEqual(["agent", "queued", "inactive 1"]);
    await world.restart();
    const last = world.record("c");
    chat.stop();
    again.stop();
    await world.say("c", "2", "still here");
    await world.vendor.backend.agentSays(world.vendor.backend.conversations()[0]!.id, "hello");
    await time.until("active", () => last.statuses().includes("active"));
    await time.until("the second timer", () => heard().filter((one) => one.startsWith("inactive")).length === 2);
    await time.pass(5 * minutes * minuteMs);
    expect(heard()).toEqual(["agent", "queued", "inactive 1", "active", "inactive 1"]);
    expect(last.statuses()).toEqual(["requested", "queued", "active"]);
    expect(last.visible().some(({ event }) => event === "inactive")).toBe(false);
    expect(whyNoTimer(60_000)).toContain("The unit is minutes: 60000 milliseconds are 1.");
    await expectLimitsRefused();
  });

  it("should be started anew by the bot: the first time it asks, the second time it ends the handover", async () => {
    const { bot, heard } = timingBot(minutes, (count) =>
      count === 1
        ? { messages: [{ text: "Still there?", destination: "user-only" }], inactivityTimer: { minutes } }
        : { endHandover: true },
    );
    const { world, time, chat, agentSays } = await openTalk(store, bot);
    await agentSays("hello");
    await time.until("the end", () => chat.statuses().includes("ended/completed"));
    await time.until("the bot", () => heard().includes("ended completed"));
    expect(heard().filter((one) => one.startsWith("inactive"))).toEqual(["inactive 1", "inactive 2"]);
    expect(chat.lines()).toContain("bot: Still there?");
    expect(chat.visible().at(-1)).toMatchObject({ reason: "completed", cause: { actor: "bot" } });
    expect(world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(JSON.stringify(world.vendor.backend.conversations())).not.toContain("Still there?");
  });
});

describe("the bot's timer and what the user writes", () => {
  it("should begin anew with each message, and count from the last one", async () => {
    const { bot, heard } = timingBot(2, () => ({ inactivityTimer: { minutes: 2 } }));
    const { world, time, agentSays } = await openTalk("sqlite", bot);
    await time.until("the bot", () => heard().includes("queued"));
    for (let times = 0; times < 4; times += 1) {
      await time.pass(1.8 * minuteMs);
      await world.say("c", `line ${times}`, `line ${times}`);
    }
    await world.vendor.backend.waitFor(([one]) => one?.messages.at(-1)?.text === "line 3");
    // The agent's words are not the user's.
    await agentSays("one moment");
    await time.pass(1 * minuteMs);
    expect(heard()).toEqual(["agent", "queued", "active"]);
    await time.pass(1.2 * minuteMs);
    await time.until("the timer", () => heard().includes("inactive 1"));
    await time.until("the second timer", () => heard().includes("inactive 2"));
    const beforeMs = time.now();
    await world.say("c", "back", "back");
    await time.until("the third timer", () => heard().filter((one) => one === "inactive 1").length === 2);
    expect(time.now() - beforeMs).toBeGreaterThanOrEqual(2 * minuteMs);
    expect(heard()).toEqual(["agent", "queued", "active", "inactive 1", "inactive 2", "inactive 1"]);
  });

  it("should run only while people are asked for: from the queue on, and not after the end", async () => {
    const turns: string[] = [];
    const bot: Bot = {
      events: [],
      async answer({ message, event }) {
        turns.push(message?.text ?? event?.type ?? "");
        return message?.text === "agent" ? { handover: {}, inactivityTimer: { minutes: 2 } } : { inactivityTimer: { minutes: 2 } };
      },
    };
    const time = passTime("sqlite");
    const world = await open({ bot, timing: calm(time), runtime: time.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "hello");
    await time.pass(10 * minuteMs);
    await world.say("c", "2", "agent");
    await time.until("queued", () => chat.statuses().includes("queued"));
    await time.until("the timer", () => turns.includes("inactive"));
    expect(turns).toEqual(["hello", "agent", "inactive"]);
    await world.runtime.endHandover(address);
    await time.until("the end", () => chat.statuses().includes("ended/cancelled"));
    await time.pass(10 * minuteMs);
    expect(turns).toEqual(["hello", "agent", "inactive"]);
  });

  it("should be refused with a hint where the unit was mixed up, and everything else of the answer count [F083 part: 60000 minutes]", async () => {
    for (const minutes of [60_000, 0, -1, Number.NaN]) {
      const { bot, heard } = timingBot(minutes);
      const { world, time } = await openTalk("sqlite", bot);
      await time.until("the bot", () => world.log.some(({ fields }) => fields["code"] === "INVALID_TIMER"));
      const said = world.log.find(({ fields }) => fields["code"] === "INVALID_TIMER");
      expect(said?.message).toContain("at most 10080 (7 days). The unit is minutes");
      await time.pass(10 * minuteMs);
      expect(heard()).toEqual(["agent", "queued"]);
    }
    const { providers, connections } = scriptDesks({ desk: {} }).runtime;
    const timedOut = { connections: ["desk"], userIdleTimeoutMs: 60_000 * minuteMs, agentIdleTimeoutMs: 0 };
    const made = createHandoverRuntime({ store: {} as never, providers, connections, endpoints: [{ token: "web", handover: timedOut }] });
    await expect(made).rejects.toMatchObject({
      message: expect.stringMatching(/userIdleTimeoutMs: 3600000000, which must be milliseconds[^]*agentIdleTimeoutMs: 0/) as string,
    });
  });
});

describeOnPostgres("the bot's timer with several instances", () => {
  it("should go off once", async () => {
    const { bot, heard } = timingBot(minutesFor({ isManual: false }));
    const { world, time } = await openTalk("postgres", bot);
    await world.another();
    await world.another();
    await time.until("the timer", () => heard().includes("inactive 1"));
    await world.stopRuntime();
    // A message of the user to the bot, after the end, is the last thing it hears.
    await world.runtime.endHandover(address);
    await world.say("c", "2", "hi");
    await time.until("the message", () => heard().includes("hi"));
    expect(heard().filter((one) => one.startsWith("inactive"))).toEqual(["inactive 1"]);
  });
});

describeOnStores("the endpoint's limits", (store) => {
  const limitMs = passTime(store).isManual ? 120_000 : 400;

  it("should end what the user has left, counted from the user's last words, as given up", async () => {
    const { bot } = timingBot(60);
    const { world, time, chat, agentSays } = await openTalk(store, bot, { handover: { userIdleTimeoutMs: limitMs } });
    await time.pass(3 * limitMs);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    await agentSays("hello");
    const sinceMs = time.now();
    await time.pass((limitMs * 3) / 4);
    await world.say("c", "2", "wait");
    await time.until("the end", () => chat.statuses().includes("ended/abandoned"));
    if (time.isManual) expect(time.now() - sinceMs).toBeGreaterThanOrEqual((limitMs * 7) / 4);
    expect(chat.visible().at(-1)).toMatchObject({ cause: { actor: "system", code: "USER_IDLE" } });
    await time.until("closed", () => world.vendor.backend.conversations()[0]!.status === "closed");
  });

  it("should end what the desk has left, counted from the first words that nobody answered", async () => {
    const { bot } = timingBot(60);
    const { world, time, chat, agentSays } = await openTalk(store, bot, { handover: { agentIdleTimeoutMs: limitMs } });
    await agentSays("hello");
    if (time.isManual) {
      await time.pass(3 * limitMs);
      await world.say("c", "2", "one");
      await time.pass(limitMs / 2);
      await agentSays("answer");
      await time.pass(3 * limitMs);
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    }
    const sinceMs = time.now();
    await world.say("c", "3", "two");
    await time.pass(limitMs / 2);
    await world.say("c", "4", "three");
    await time.until("the end", () => chat.statuses().includes("ended/timed-out"));
    if (time.isManual) {
      expect(time.now() - sinceMs).toBeGreaterThanOrEqual(limitMs);
      expect(time.now() - sinceMs).toBeLessThan(limitMs * 1.4);
    }
    expect(chat.visible().find(({ reason }) => reason)).toMatchObject({ cause: { actor: "system", code: "AGENT_IDLE" } });
    await time.until("closed", () => world.vendor.backend.conversations()[0]!.status === "closed");
  });
});

describe("the endpoint's limits and a transfer", () => {
  it("should not count while nobody is there, and begin anew when somebody is", async () => {
    const { bot } = timingBot(60);
    const limits = { userIdleTimeoutMs: 120_000, agentIdleTimeoutMs: 180_000 };
    const { world, time, chat, agentSays, ticket } = await openTalk("sqlite", bot, { handover: limits });
    await agentSays("hello");
    world.vendor.backend.people.transfer(ticket, { queue: "billing" });
    await time.until("queued again", () => chat.statuses().filter((status) => status === "queued").length === 2);
    await world.say("c", "2", "anybody?");
    await time.pass(400_000);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued"]);
    await agentSays("here I am");
    await time.pass(100_000);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued", "active"]);
    const sinceMs = time.now();
    await time.until("the end", () => chat.statuses().includes("ended/abandoned"));
    expect(time.now() - sinceMs).toBeLessThan(60_000);
  });
});

describe("three handovers in one conversation", () => {
  it("should begin each anew: another inbox, another provider, nobody who picks up, each with its own time-outs, those of silence too [F055]", async () => {
    const time = passTime("sqlite");
    const [desk, night] = [await createTestVendor({}), await createTestVendor({})];
    const another: HandoverProvider = { ...desk.provider, name: "another-vendor" };
    const inboxes = ["inbox-a", "inbox-b", "inbox-c"];
    const inactive: number[] = [];
    const bot: Bot = {
      events: ["active", "ended"],
      async answer({ message, event }) {
        if (message?.text === "agent") return { handover: { options: { queue: inboxes.shift() ?? "" } } };
        if (event?.type === "inactive") inactive.push(event.count ?? 0);
        return event?.type === "active" ? { inactivityTimer: { minutes: 1 } } : {};
      },
    };
    const world = await open({
      bot,
      others: { desk, night },
      timing: calm(time),
      handover: { acceptTimeoutMs: 60_000, userIdleTimeoutMs: 120_000, agentIdleTimeoutMs: 180_000 },
      runtime: {
        ...time.runtime,
        providers: [desk.provider, another],
        connections: {
          desk: { provider: "test-vendor", settings: desk.settings },
          night: { provider: "another-vendor", settings: night.settings },
        },
      },
    });
    onTestFinished(() => world.vendor.close());
    const chat = world.record("c");
    const count = (status: string) => chat.statuses().filter((one) => one === status).length;
    const begin = async (id: string, nth: number, at: typeof desk) => {
      await world.say("c", id, "agent");
      await time.until("queued", () => count("queued") === nth, 1_000);
      return (await at.backend.waitFor((all) => all.some(({ status }) => status !== "closed"))).find(({ status }) => status !== "closed")!
        .id;
    };

    // The user is silent: first the bot's timer, then the limit.
    const first = await begin("1", 1, desk);
    await desk.backend.agentSays(first, "hello");
    await time.until("the user's limit", () => count("ended/abandoned") === 1, 1_000);
    expect(inactive).toEqual([1]);

    // The desk is silent, at another provider; the user is not, and neither the bot's timer nor the limit of the first one goes on.
    await desk.backend.setAgentsOnline(0);
    const second = await begin("2", 2, night);
    await night.backend.agentSays(second, "good evening");
    await time.until("active", () => count("active") === 2);
    for (let times = 0; count("ended/timed-out") === 0 && times < 10; times += 1) {
      await world.say("c", `still here ${times}`, `still here ${times}`);
      await time.pass(30_000);
    }
    await time.until("the desk's limit", () => count("ended/timed-out") === 1, 1_000);
    expect(inactive).toEqual([1]);

    // Nobody picks up.
    await desk.backend.setAgentsOnline(1);
    const sinceMs = time.now();
    await begin("3", 3, desk);
    await time.until("nobody", () => count("ended/timed-out") === 2, 5_000);
    expect(time.now() - sinceMs).toBeGreaterThanOrEqual(60_000);
    expect(inactive).toEqual([1]);

    expect(chat.statuses()).toEqual([
      ...["requested", "queued", "active", "ended/abandoned"],
      ...["requested", "queued", "active", "ended/timed-out"],
      ...["requested", "queued", "ended/timed-out"],
    ]);
    const ends = chat.visible().filter(({ status }) => status === "ended");
    expect(ends.map(({ cause }) => cause?.code)).toEqual(["USER_IDLE", "AGENT_IDLE", "ACCEPT_TIMEOUT"]);
    expect(new Set(ends.map(({ handover }) => handover)).size).toBe(3);
    expect(desk.backend.conversations().map(({ id }) => desk.backend.conversation(id).routing["queue"])).toEqual(["inbox-a", "inbox-c"]);
    const tickets = () => [...desk.backend.conversations(), ...night.backend.conversations()];
    await time.until("closed", () => tickets().every(({ status }) => status === "closed"));
  });
});
