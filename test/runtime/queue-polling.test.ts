import { HandoverError, RateLimitedError, type Handover, type QueueInfo, type QueueStatus } from "@handover/core";
import type { QueueOptions, VisibleEntry } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnPostgres, describeOnStores } from "./support/on-stores.ts";
import type { Recorder } from "./support/recorder.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

interface Asked {
  readonly atMs: number;
  readonly conversations: readonly string[];
}

/** A desk with a queue that a test writes, and that remembers who was asked about. */
function queueDesk(queue: QueueOptions, script: DeskScript = {}, now: () => number = Date.now) {
  const asked: Asked[] = [];
  const state = { queue: { position: 3, estimatedWaitMs: 300_000 } as QueueInfo, validForMs: 0 };
  const answer = (handovers: readonly Handover[]): ReadonlyMap<string, QueueStatus> => {
    asked.push({ atMs: now(), conversations: handovers.map(({ conversation }) => conversation) });
    return new Map(handovers.map(({ id }) => [id, { ...state.queue, validForMs: state.validForMs }]));
  };
  const desks = scriptDesks(
    { desk: { getQueueStatuses: async (handovers) => answer(handovers), ...script } },
    { handover: { connections: ["desk"], queue } },
  );
  const count = (conversation = "c") => asked.filter(({ conversations }) => conversations.includes(conversation)).length;
  return { desks, state, asked, answer, count };
}

const quick = { updateIntervalQueuePositionSeconds: 0.04, updateIntervalEstimatedWaitTimeSeconds: 0.04 };
const both: QueueOptions = { getQueuePosition: true, getEstimatedWaitTime: true, ...quick };
const timing = { queueUpdateMinimumMs: 40 };

const updates = (chat: Recorder) =>
  chat
    .visible()
    .flatMap(({ event, queue, text }): [QueueInfo | undefined, string | undefined][] => (event === "queue-updated" ? [[queue, text]] : []));
const shows = (position: number) => (entry: VisibleEntry) => entry.event === "queue-updated" && entry.queue?.position === position;
/** Until the vendor was asked so many times more: what it said before has been dealt with. */
const polled = async (desk: { count(): number }, more = 3) => {
  const before = desk.count();
  await expect.poll(() => desk.count(), { timeout: 15_000, interval: 5 }).toBeGreaterThanOrEqual(before + more);
};

describeOnStores("the queue of somebody who waits", (store) => {
  it("should be asked for and shown, and again only when it has changed [F137 part: queue, F141 part: the runtime, F145 part: only on change]", async () => {
    const desk = queueDesk(both);
    const world = await open({ store, timing, runtime: desk.desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.until("the position", shows(3));
    await polled(desk);
    expect(updates(chat)).toEqual([[{ position: 3, estimatedWaitMs: 300_000 }, "You are number 3 in the queue. Estimated wait: 5 min."]]);
    desk.state.queue = { position: 0, estimatedWaitMs: 0, name: "Support" };
    await chat.until("nobody before", shows(0));
    desk.state.queue = { position: -1, estimatedWaitMs: Number.NaN };
    await polled(desk, 4);
    expect(updates(chat).slice(1)).toEqual([
      [{ position: 0, estimatedWaitMs: 0, name: "Support" }, "You are number 0 in the queue. Estimated wait: 0 min."],
      [{ name: "Support" }, undefined],
    ]);
    const turns = world.runtime.metrics().filter(({ name }) => name === "handover_bot_turns_total");
    expect(turns.map(({ value }) => value)).toEqual([1]);
  });

  it("should say nothing once somebody is there, and anew when it is back in the queue [F144 part: the runtime]", async () => {
    let hold: Promise<void> | undefined;
    const desk = queueDesk(both, {
      async getQueueStatuses(handovers) {
        const answer = desk.answer(handovers);
        await hold;
        return answer;
      },
    });
    const world = await open({ store, timing, runtime: desk.desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.until("the position", shows(3));
    const { promise, resolve } = Promise.withResolvers<undefined>();
    hold = promise;
    desk.state.queue = { position: 1 };
    await polled(desk, 1);
    const ann = { id: "ann", name: "Ann" };
    await desk.desks.deliver(world.runtime, "desk", { events: [{ type: "agent-joined", agent: ann, hasAccepted: true }] });
    await chat.untilStatus("active");
    hold = undefined;
    resolve(undefined);
    const before = desk.count();
    // Both go through the same inbox: when the second is there, the first was dealt with.
    const late = { type: "queue-updated" as const, queue: { position: 9 } };
    await desk.desks.deliver(world.runtime, "desk", { events: [late] });
    await desk.desks.deliver(world.runtime, "desk", { events: [{ type: "transferred", queue: { name: "Second line" } }] });
    await chat.untilStatus("queued", 2);
    await chat.until("the new position", shows(1));
    expect(chat.visible().flatMap(({ event, status }) => event ?? status ?? [])).toEqual([
      ...["requested", "queued", "queue-updated", "agent-joined", "active", "transferred", "queued", "queue-updated"],
    ]);
    expect(desk.count()).toBeGreaterThan(before);
    await world.runtime.endHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("ended");
    const atTheEnd = [desk.count(), updates(chat).length];
    await desk.desks.deliver(world.runtime, "desk", { events: [late] });
    await world.say("other", "1", "agent");
    await expect.poll(() => desk.count("other"), { timeout: 15_000 }).toBeGreaterThan(4);
    expect([desk.count(), updates(chat).length]).toEqual(atTheEnd);
  });
});

describeOnPostgres("the queue of somebody who waits, several instances", () => {
  it("should be asked for once in its time", async () => {
    const intervalMs = 400;
    const desk = queueDesk({ getQueuePosition: true, updateIntervalQueuePositionSeconds: intervalMs / 1000 });
    const world = await open({ store: "postgres", timing: { queueUpdateMinimumMs: intervalMs }, runtime: desk.desks.runtime });
    await world.another();
    for (const conversation of ["a", "b", "d"]) {
      const chat = world.record(conversation);
      await world.say(conversation, "1", "agent");
      await chat.until("the position", shows(3));
    }
    await expect.poll(() => desk.count("d"), { timeout: 15_000 }).toBeGreaterThanOrEqual(3);
    await world.stopRuntime();
    await expect.poll(() => desk.count("d"), { timeout: 15_000 }).toBeGreaterThanOrEqual(5);
    for (const conversation of ["a", "b", "d"]) {
      const times = desk.asked.filter(({ conversations }) => conversations.includes(conversation)).map(({ atMs }) => atMs);
      const pauses = times.slice(1).map((atMs, index) => atMs - times[index]!);
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(intervalMs);
    }
  });
});

describe("asking for queues", () => {
  it("should go on being asked for by the process that comes next, not before it is due", async () => {
    const clock = createManualClock();
    const desk = queueDesk({ getQueuePosition: true, updateIntervalQueuePositionSeconds: 60 }, {}, () => clock.now());
    const world = await open({ runtime: { ...desk.desks.runtime, clock } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), updates(chat).length), { timeout: 15_000 }).toBe(1);
    const [first] = desk.asked;
    desk.state.queue = { position: 2 };
    await world.quiet();
    await world.kill();
    await world.another();
    const after = world.record("c");
    await expect
      .poll(async () => (await clock.advance(1_000), await world.quiet(), updates(after).length), { timeout: 15_000, interval: 1 })
      .toBe(2);
    const pauseMs = desk.asked[1]!.atMs - first!.atMs;
    expect(desk.count()).toBe(2);
    expect(pauseMs).toBeGreaterThanOrEqual(60_000);
    expect(pauseMs).toBeLessThan(180_000);
  });

  it("should not be done unless somebody wants it, and then only for what is wanted", async () => {
    const desk = queueDesk({});
    const world = await open({ timing, runtime: desk.desks.runtime });
    const [none, position, bot] = [world.record("none"), world.record("position"), world.record("bot")];
    const address = { endpoint: "web", conversation: "position" };
    await world.runtime.requestHandover({ endpoint: "web", conversation: "none" });
    await none.untilStatus("queued");
    await world.runtime.requestHandover({ ...address, queue: { getQueuePosition: true, ...quick } });
    await position.until("the position", shows(3));
    await world.say("bot", "1", "agent");
    await bot.untilStatus("queued");
    await expect.poll(() => desk.count("position"), { timeout: 15_000 }).toBeGreaterThan(3);
    expect([desk.count("none"), desk.count("bot")]).toEqual([0, 0]);
    expect(updates(position)).toEqual([[{ position: 3 }, "You are number 3 in the queue."]]);
    expect(updates(none)).toEqual([]);
  });

  it("should follow what a bot says about it, and refuse what makes no sense", async () => {
    const desk = queueDesk({ ...both, alternativeUpdate: true, maximumQueuePosition: 9, alternativeText: "endpoint" });
    const [endpoint] = desk.desks.runtime.endpoints;
    const queue = { maximumQueuePosition: 2, alternativeText: "It takes a while.", getEstimatedWaitTime: false };
    const bot = { answer: async () => ({ handover: { queue } }) };
    const world = await open({ timing, runtime: { ...desk.desks.runtime, endpoints: [{ ...endpoint!, bot }] } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.until("the alternative", ({ event }) => event === "queue-updated");
    await polled(desk);
    desk.state.queue = { position: 2, estimatedWaitMs: 1_000 };
    await chat.until("the position", shows(2));
    expect(updates(chat)).toEqual([
      [{ text: "It takes a while." }, "It takes a while."],
      [{ position: 2 }, "You are number 2 in the queue."],
    ]);
    const bad = { maximumQueuePosition: "many" } as unknown as QueueOptions;
    const refused = world.runtime.requestHandover({ endpoint: "web", conversation: "d", queue: bad });
    await expect(refused).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining("maximumQueuePosition") as string,
    });
  });

  it("should follow what a later request says, and not ask again for what is still good", async () => {
    const clock = createManualClock();
    const desk = queueDesk({}, {}, () => clock.now());
    const world = await open({ runtime: { ...desk.desks.runtime, clock } });
    const chat = world.record("c");
    const request = (queue: QueueOptions) => world.runtime.requestHandover({ endpoint: "web", conversation: "c", queue });
    desk.state.validForMs = 300_000;
    const { handover } = await request({});
    await expect.poll(async () => (await clock.advance(1_000), chat.statuses())).toContain("queued");
    expect(await request({ getQueuePosition: true, updateIntervalQueuePositionSeconds: 10 })).toEqual({ handover });
    await expect.poll(async () => (await clock.advance(1_000), desk.count()), { timeout: 15_000 }).toBe(1);
    await expect.poll(async () => (await clock.advance(10_000), await world.quiet(), desk.count()), { timeout: 15_000 }).toBe(2);
    const [first, second] = desk.asked;
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(300_000);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should be the alternative above a maximum and not at it, by the maxima that are set and no other, also for what the vendor tells by itself [F143]", async () => {
    const limits = { alternativeUpdate: true, maximumQueuePosition: 3, maximumEstimatedWaitTimeMs: 60_000, alternativeText: "Busy." };
    const desk = queueDesk({ getEstimatedWaitTime: false, ...limits }, { getQueueStatuses: undefined });
    const world = await open({ timing, runtime: desk.desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const tell = async (queue: QueueInfo, type: "queued" | "queue-updated" = "queue-updated") =>
      desk.desks.deliver(world.runtime, "desk", { events: [{ type, queue }] });
    await tell({ position: 4, name: "Support" }, "queued");
    await tell({ position: 5, name: "Support" });
    await tell({ position: 3, estimatedWaitMs: 60_000, name: "Support" });
    await tell({ position: 3, estimatedWaitMs: 50_000, name: "Support" }, "queued");
    await tell({ position: 2, estimatedWaitMs: 60_001 });
    await tell({ position: 1, estimatedWaitMs: -1 });
    await chat.until("the last one", shows(1));
    expect(updates(chat).map(([queue]) => queue)).toEqual([
      { name: "Support", text: "Busy." },
      { position: 3, name: "Support" },
      { text: "Busy." },
      { position: 1 },
    ]);
    expect(updates(chat).map(([, text]) => text)).toEqual([
      "Busy.",
      "You are number 3 in the queue.",
      "Busy.",
      "You are number 1 in the queue.",
    ]);
    // Only one of the two is set: nothing but that one counts.
    const { maximumQueuePosition, maximumEstimatedWaitTimeMs, ...words } = limits;
    for (const [conversation, one, queues] of [
      [
        "position",
        { maximumQueuePosition },
        [
          { position: 3, estimatedWaitMs: 9e9 },
          { position: 4, estimatedWaitMs: 1 },
        ],
      ],
      [
        "wait",
        { maximumEstimatedWaitTimeMs },
        [
          { position: 999, estimatedWaitMs: 60_000 },
          { position: 1, estimatedWaitMs: 60_001 },
        ],
      ],
    ] as const) {
      const other = queueDesk({ getEstimatedWaitTime: true, ...words, ...one }, { getQueueStatuses: undefined });
      const place = await open({ timing, runtime: other.desks.runtime });
      const reader = place.record(conversation);
      await place.say(conversation, "1", "agent");
      await reader.untilStatus("queued");
      for (const queue of queues) await other.desks.deliver(place.runtime, "desk", { events: [{ type: "queue-updated", queue }] });
      await reader.until("the alternative", ({ event, text }) => event === "queue-updated" && text === "Busy.");
      expect(updates(reader).map(([queue]) => queue)).toEqual([queues[0], { text: "Busy." }]);
    }
  });

  it("should end nothing and hold up nothing when it fails", async () => {
    const failures = [
      new HandoverError({ code: "BROKEN", message: "Broken.", effect: "connection", isRetryable: true }),
      new HandoverError({ code: "GONE", message: "Gone.", effect: "handover", isRetryable: true }),
      new RateLimitedError({ message: "Too many.", retryAfterMs: 20 }),
      new TypeError("not ours"),
    ];
    const left = [...failures];
    const desk = queueDesk(both, {
      async getQueueStatuses(handovers) {
        const answer = desk.answer(handovers);
        const failure = left.shift();
        if (failure) throw failure;
        return desk.count() === failures.length + 1 ? ("nonsense" as never) : answer;
      },
    });
    const world = await open({ timing, runtime: desk.desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await expect.poll(() => desk.count(), { timeout: 15_000, interval: 5 }).toBeGreaterThan(0);
    await world.say("c", "2", "hello");
    await expect.poll(() => desk.desks.count("desk.send hello"), { timeout: 15_000 }).toBe(1);
    await chat.until("the position", shows(3));
    expect(desk.count()).toBeGreaterThan(failures.length + 1);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    expect(updates(chat)).toHaveLength(1);
    expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  it("should hold up no message with a vendor that does not answer it", async () => {
    const desk = queueDesk(both, { getQueueStatuses: async (handovers) => (desk.answer(handovers), new Promise<never>(() => undefined)) });
    const world = await open({ timing: { ...timing, callTimeoutMs: 150 }, runtime: desk.desks.runtime });
    await world.say("c", "1", "agent");
    await polled(desk, 2);
    for (const text of ["one", "two", "three"]) {
      await world.say("c", text, text);
      await expect.poll(() => desk.desks.count(`desk.send ${text}`), { timeout: 15_000 }).toBe(1);
      expect(world.runtime.metrics().find(({ name }) => name === "handover_paused_accounts")?.value).toBe(0);
    }
  });

  it("should leave those out whom a vendor refuses, in smaller and smaller calls", async () => {
    const desk = queueDesk(both, {
      async getQueueStatuses(handovers) {
        const answer = desk.answer(handovers);
        if (handovers.some(({ conversation }) => conversation === "bad")) throw new HandoverError({ code: "BAD_ONE", message: "Bad." });
        return answer;
      },
    });
    const world = await open({ timing, runtime: desk.desks.runtime });
    const names = ["a", "b", "bad", "d", "e"];
    const chats = names.map((name) => world.record(name));
    for (const name of names) await world.say(name, "1", "agent");
    for (const [index, chat] of chats.entries()) if (names[index] !== "bad") await chat.until("the position", shows(3));
    await expect
      .poll(() => desk.asked.some(({ conversations }) => conversations.length === 1 && conversations[0] === "bad"), { timeout: 15_000 })
      .toBe(true);
    expect(chats[2]!.statuses()).toEqual(["requested", "queued"]);
    // Found out, it is left alone for a while.
    const before = desk.count("bad");
    const others = desk.count("a");
    await expect.poll(() => desk.count("a"), { timeout: 15_000, interval: 5 }).toBeGreaterThan(others + 2);
    expect(desk.count("bad")).toBe(before);
  });

  it("should keep to the vendor's limit and to the shortest interval, whatever is wanted, for 500 who wait [F145]", async () => {
    const clock = createManualClock();
    const waiting = 500;
    const limit = { calls: 300, perMs: 60_000, costs: { start: 0 } };
    const desk = queueDesk({ getQueuePosition: true, updateIntervalQueuePositionSeconds: 1 }, { rateLimit: limit }, () => clock.now());
    const world = await open({ hasBot: false, runtime: { ...desk.desks.runtime, clock }, timing: { pollMs: 1_000, retryFirstMs: 100 } });
    let shown = 0;
    const ask = (_: unknown, index: number) => world.runtime.requestHandover({ endpoint: "web", conversation: `w${index}` });
    await Promise.all(Array.from({ length: waiting }, ask));
    const counted = () => (shown = desk.asked.flatMap(({ conversations }) => conversations).length);
    await expect
      .poll(async () => (await clock.advance(500), counted()), { timeout: 60_000, interval: 1 })
      .toBeGreaterThanOrEqual(2 * waiting);
    const calls = desk.asked.map(({ atMs }) => atMs);
    const mostInAMinute = Math.max(...calls.map((atMs) => calls.filter((other) => other >= atMs && other < atMs + limit.perMs).length));
    expect(mostInAMinute).toBeLessThanOrEqual(limit.calls);
    expect(shown / calls.length).toBeGreaterThan(10);
    const last = new Map<string, number>();
    let shortestMs = Infinity;
    for (const { atMs, conversations } of desk.asked) {
      for (const conversation of conversations) {
        shortestMs = Math.min(shortestMs, atMs - (last.get(conversation) ?? -Infinity));
        last.set(conversation, atMs);
      }
    }
    expect(last.size).toBe(waiting);
    expect(shortestMs).toBeGreaterThanOrEqual(5_000);
    const chat = world.record("w499");
    await chat.until("the position", shows(3));
    expect(updates(chat)).toHaveLength(1);
  });
});

describe("the text that the request was taken", () => {
  it("should be shown again when the user writes while waiting, where that is wanted", async () => {
    const desks = scriptDesks({ desk: {} }, { handover: { connections: ["desk"], repeatHandoverMessage: true } });
    const world = await open({ runtime: desks.runtime });
    const [chat, other] = [world.record("c"), world.record("other")];
    const accepted = "Connecting you to a colleague ...";
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.say("c", "2", "hello?");
    const repeated = await chat.until("the text", ({ kind, text }) => kind === "message" && text === accepted);
    expect(repeated.author).toEqual({ role: "system" });
    await world.say("c", "3", "hello??");
    const texts = () => chat.visible().filter(({ kind, text }) => kind === "message" && text === accepted).length;
    await expect.poll(texts, { timeout: 15_000 }).toBe(2);
    await desks.deliver(world.runtime, "desk", { events: [{ type: "agent-joined", agent: { name: "Ann" }, hasAccepted: true }] });
    await chat.untilStatus("active");
    await world.say("c", "4", "there you are");
    await expect.poll(() => desks.count("desk.send there you are"), { timeout: 15_000 }).toBe(1);
    expect(desks.calls.filter((call) => call.includes(accepted))).toEqual([]);
    expect(texts()).toBe(2);
    await world.runtime.requestHandover({ endpoint: "web", conversation: "other", repeatHandoverMessage: false });
    await other.untilStatus("queued");
    await world.say("other", "1", "hello?");
    await expect.poll(() => desks.count("desk.send hello?"), { timeout: 15_000 }).toBe(2);
    expect(other.lines()).toEqual(["user: hello?"]);
  });
});
