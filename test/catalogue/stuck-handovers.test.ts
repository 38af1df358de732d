import type { HandoverEvent, HandoverProvider } from "@handover/core";
import type { Bot, BotTurn } from "@handover/runtime";
import { createTestVendor, type TestVendor } from "@handover/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { createManualClock } from "../runtime/support/manual-clock.ts";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { createWorldStore } from "../runtime/support/world-store.ts";
import { makeBreakable } from "./support/breakable-store.ts";
import { changedProvider } from "./support/changed-provider.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };
const ended = (statuses: readonly string[]) => statuses.filter((status) => status.startsWith("ended"));
const started = ({ backend }: TestVendor) => backend.calls.filter(({ method, path }) => method === "POST" && path === "/conversations");
const ticketOf = async ({ backend }: TestVendor): Promise<string> => {
  const [ticket] = await backend.waitFor((all) => all.length > 0);
  return ticket!.id;
};

describeOnStores("a conversation with two sides", (store) => {
  /** A world; on PostgreSQL two instances take messages and webhooks in turn. */
  const openInstances: typeof open = async (options) => {
    const world = await open({ store, ...options });
    if (store === "postgres") await world.another();
    return world;
  };

  it("should keep the bot's slow answer from the user, and the user's messages from the bot, in every state [F052]", async () => {
    const [start, slow] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const provider = changedProvider((connection) => ({
      start: async (request, call) => (await start.promise, connection.start(request, call)),
    }));
    const asked: string[] = [];
    const bot: Bot = {
      async answer({ message, event }) {
        asked.push(message?.text ?? event?.type ?? "");
        if (message?.text === "slow") await slow.promise;
        return { messages: [{ text: `bot on ${message?.text ?? "its own"}` }] };
      },
    };
    const world = await openInstances({ bot, runtime: { providers: [provider] } });
    const chat = world.record("c");
    await world.say("c", "1", "slow");
    await expect.poll(() => asked).toEqual(["slow"]);
    await world.runtime.requestHandover(address);
    await world.say("c", "2", "while requested");
    start.resolve(undefined);
    await chat.untilStatus("queued");
    await world.say("c", "3", "while queued");
    slow.resolve(undefined);
    const ticket = await ticketOf(world.vendor);
    await world.vendor.backend.waitFor(([one]) => one?.messages.at(-1)?.text === "while queued");
    await world.vendor.backend.agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await world.say("c", "4", "while active");
    await world.vendor.backend.waitFor(([one]) => one?.messages.at(-1)?.text === "while active");
    await world.vendor.backend.agentCloses(ticket);
    await chat.until("the bot's return", ({ text }) => text === "bot on its own");
    expect(asked).toEqual(["slow", "ended"]);
    expect(chat.lines()).not.toContain("bot: bot on slow");
    expect(world.vendor.backend.conversations()[0]!.messages.map(({ text }) => text)).toEqual([
      "slow",
      "while requested",
      "while queued",
      "hello",
      "while active",
    ]);
  });

  it("should be active with the agent's first words although the user is away, who finds them on coming back [F056]", async () => {
    const events: string[] = [];
    const bot: Bot = {
      events: ["queued", "active"],
      async answer({ message, event }) {
        if (event) events.push(event.type);
        return message ? { handover: {} } : {};
      },
    };
    const world = await openInstances({ bot });
    const { seq } = await world.say("c", "1", "agent");
    await expect.poll(() => events).toEqual(["queued"]);
    // Nobody reads along, and nothing is pushed to anybody.
    await world.vendor.backend.agentSays(await ticketOf(world.vendor), "are you there?");
    await expect.poll(() => events).toEqual(["queued", "active"]);
    const seen: string[] = [];
    for await (const entry of world.runtimes.at(-1)!.follow({ ...address, after: seq })) {
      if (entry.kind === "handover") seen.push(entry.status ?? "");
      if (entry.kind !== "message") continue;
      seen.push(entry.text ?? "");
      break;
    }
    expect(seen).toEqual(["requested", "queued", "active", "are you there?"]);
  });

  it("should begin each of three handovers anew: another inbox, another provider, nobody who picks up, each with its own time limit [F055 without time-outs of idle users and agents]", async () => {
    // Leases and what is due go by the database's own clock there.
    const clock = store === "sqlite" ? createManualClock() : undefined;
    const timeLimitMs = clock ? 20_000 : 500;
    const now = () => clock?.now() ?? performance.now();
    const [desk, night] = [await createTestVendor(clock ? { clock } : {}), await createTestVendor(clock ? { clock } : {})];
    const another: HandoverProvider = { ...desk.provider, name: "another-vendor" };
    const inboxes = ["inbox-a", "inbox-b", "inbox-c"];
    const bot: Bot = {
      async answer({ message, event }) {
        if (event) return { messages: [{ text: `back: ${event.reason ?? ""}` }] };
        return message?.text === "agent" ? { handover: { options: { queue: inboxes.shift() ?? "" } } } : {};
      },
    };
    const world = await openInstances({
      bot,
      others: { desk, night },
      handover: { acceptTimeoutMs: timeLimitMs },
      runtime: {
        ...(clock ? { clock } : {}),
        providers: [desk.provider, another],
        connections: {
          desk: { provider: "test-vendor", settings: desk.settings },
          night: { provider: "another-vendor", settings: night.settings },
        },
      },
    });
    onTestFinished(() => world.vendor.close());
    const [chat, other] = [world.record("c"), world.record("d")];
    /** Lets time pass until a status was shown so many times. @returns how long it took */
    const passUntil = async (status: string, count: number, recorder = chat): Promise<number> => {
      const sinceMs = now();
      const shown = () => recorder.statuses().filter((one) => one.startsWith(status)).length;
      await expect.poll(async () => (await clock?.advance(250), shown()), { interval: 2, timeout: 10_000 }).toBe(count);
      return now() - sinceMs;
    };
    const botIsBack = (reason: string, count: number) =>
      expect.poll(() => chat.lines().filter((line) => line === `bot: back: ${reason}`)).toHaveLength(count);

    await world.say("c", "1", "agent");
    await passUntil("queued", 1);
    const [first] = await desk.backend.waitFor((all) => all.length === 1);
    await desk.backend.agentSays(first!.id, "hello");
    await passUntil("active", 1);
    // Whoever was accepted is not timed out any more, however long somebody else waits.
    await world.runtime.requestHandover({ ...address, conversation: "d", options: { queue: "elsewhere" } });
    await passUntil("ended", 1, other);
    await desk.backend.agentCloses(first!.id);
    await passUntil("ended", 1);
    await botIsBack("completed", 1);

    await desk.backend.setAgentsOnline(0);
    await world.say("c", "2", "agent");
    await passUntil("queued", 2);
    const second = await passUntil("ended", 2);
    await botIsBack("timed-out", 1);

    await desk.backend.setAgentsOnline(1);
    await world.say("c", "3", "agent");
    await passUntil("queued", 3);
    const third = await passUntil("ended", 3);
    await botIsBack("timed-out", 2);

    expect(chat.statuses()).toEqual([
      ...["requested", "queued", "active", "ended/completed"],
      ...["requested", "queued", "ended/timed-out"],
      ...["requested", "queued", "ended/timed-out"],
    ]);
    // The second was accepted by one desk, the third by two, one after the other.
    for (const [tookMs, desks] of [
      [second, 1],
      [third, 2],
    ] as const) {
      expect(tookMs).toBeGreaterThan((desks - 0.3) * timeLimitMs);
      if (clock) expect(tookMs).toBeLessThan((desks + 0.3) * timeLimitMs);
    }
    const ids = chat
      .visible()
      .filter(({ kind }) => kind === "handover")
      .map(({ handover }) => handover);
    expect(new Set(ids).size).toBe(3);
    const all = ({ backend }: typeof desk) =>
      backend
        .conversations()
        .map(({ id, status, messages }) => ({
          inbox: backend.conversation(id).routing["queue"],
          status,
          texts: messages.map(({ text }) => text),
        }))
        .filter(({ inbox }) => inbox !== "elsewhere");
    const open = () => [desk, night].flatMap(all).filter(({ status }) => status !== "closed");
    await expect.poll(async () => (await clock?.advance(500), open())).toEqual([]);
    expect(all(desk)).toMatchObject([
      { inbox: "inbox-a", texts: ["agent", "hello"] },
      { inbox: "inbox-c", texts: ["back: timed-out", "agent"] },
    ]);
    expect(all(night)).toMatchObject([
      { inbox: "inbox-b", texts: ["back: completed", "agent"] },
      { inbox: "inbox-c", texts: ["back: timed-out", "agent"] },
    ]);
    expect(chat.visible().filter(({ event }) => event === "agent-left" || event === "transferred")).toEqual([]);
  });

  describe("a handover that runs [F060]", () => {
    it("should go on with the same conversation at the desk when the store was gone for 10 s, and start nothing again [F060 part: the store]", async () => {
      const clock = createManualClock();
      const place = await createWorldStore(store);
      onTestFinished(() => place.remove());
      const breakable = makeBreakable(place.create(clock));
      const world = await open({ runtime: { store: breakable.store, clock }, vendor: { clock, eventNumbers: "sparse" } });
      const { backend } = world.vendor;
      const before = world.record("c");
      const becomes = (status: string) =>
        expect.poll(async () => (await clock.advance(100), before.statuses()), { interval: 2, timeout: 8_000 }).toContain(status);
      await world.say("c", "1", "agent");
      await becomes("queued");
      const ticket = await ticketOf(world.vendor);
      await backend.agentSays(ticket, "hello");
      await becomes("active");
      before.stop();
      breakable.breakDown();
      await expect(world.say("c", "2", "lost?")).rejects.toMatchObject({ code: "STORE_FAILED" });
      await backend.agentSays(ticket, "meanwhile");
      await backend.settle();
      for (let second = 0; second < 10; second += 1) {
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await clock.advance(1_000);
      }
      expect(breakable.refused).toBeGreaterThan(10);
      breakable.recover();
      const chat = world.record("c");
      await world.say("c", "2", "lost?");
      await backend.agentSays(ticket, "are you still there?");
      const seen = () => chat.lines().filter((line) => !line.startsWith("bot"));
      await expect.poll(async () => (await clock.advance(1_000), seen().length), { interval: 2, timeout: 8_000 }).toBe(5);
      expect(new Set(seen())).toEqual(
        new Set(["user: agent", "user: lost?", "agent: hello", "agent: meanwhile", "agent: are you still there?"]),
      );
      await backend.waitFor(([one]) => one?.messages.filter(({ text }) => text === "lost?").length === 1);
      expect(backend.conversations()).toHaveLength(1);
      expect(started(world.vendor)).toHaveLength(1);
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    });

    it("should leave the handovers of one customer alone when another customer's endpoint and desk are taken away [F060 part: another tenant]", async () => {
      const [ours, theirs] = [await createTestVendor(), await createTestVendor()];
      let tokens = ["web", "theirs"];
      const bot: Bot = { answer: async ({ message }) => (message?.text === "agent" ? { handover: {} } : {}) };
      const world = await open({
        store,
        others: { desk: ours, theirs },
        runtime: {
          get connections() {
            const desk = { provider: "test-vendor", settings: ours.settings };
            return tokens.includes("theirs") ? { desk, theirs: { provider: "test-vendor", settings: theirs.settings } } : { desk };
          },
          get endpoints() {
            return tokens.map((token) => ({ token, bot, handover: { connections: [token === "web" ? "desk" : "theirs"] } }));
          },
        },
      });
      onTestFinished(() => world.vendor.close());
      const other = { endpoint: "theirs", conversation: "c" };
      for (const endpoint of tokens)
        await world.runtime.receiveMessage({ endpoint, conversation: "c", message: { id: "1", text: "agent" } });
      const before = world.record("c");
      await before.untilStatus("queued");
      const ticket = await ticketOf(ours);
      await theirs.backend.waitFor(([one]) => one?.messages.length === 1);
      await ours.backend.agentSays(ticket, "hello");
      await before.untilStatus("active");
      tokens = ["web"];
      await world.restart();
      const chat = world.record("c");
      await world.say("c", "2", "still there?");
      await ours.backend.agentSays(ticket, "sure");
      await chat.until("the agent", ({ text }) => text === "sure");
      await ours.backend.waitFor(([one]) => one?.messages.some(({ text }) => text === "still there?") ?? false);
      await expect(world.runtime.requestHandover(other)).rejects.toMatchObject({ code: "ENDPOINT_NOT_FOUND" });
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
      expect(started(ours)).toHaveLength(1);
      expect(ours.backend.conversations()).toHaveLength(1);
    });
  });

  it.each(["requested", "queued"])(
    "should cancel through the API while it is %s: once, at the desk too, and the bot sees it [F062 part: API]",
    async (status) => {
      const start = Promise.withResolvers<undefined>();
      const provider = changedProvider((connection) => ({
        async start(request, call) {
          const answer = await connection.start(request, call);
          if (status === "requested") await start.promise;
          return answer;
        },
      }));
      const turns: BotTurn[] = [];
      const bot: Bot = { answer: async (turn) => (turns.push(turn), turn.message?.text === "agent" ? { handover: {} } : {}) };
      const world = await openInstances({ bot, runtime: { providers: [provider] } });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus(status);
      await ticketOf(world.vendor);
      const [first, last] = [world.runtimes[0]!, world.runtimes.at(-1)!];
      await Promise.all([first.endHandover(address), last.endHandover(address), first.endHandover(address)]);
      start.resolve(undefined);
      await chat.untilStatus("ended");
      await expect.poll(() => turns.length).toBe(2);
      expect(turns[1]!.event).toEqual({ type: "ended", reason: "cancelled" });
      expect(ended(chat.statuses())).toEqual(["ended/cancelled"]);
      const closings = world.vendor.backend.calls.filter(({ path }) => path.endsWith("/close"));
      expect(closings).toHaveLength(1);
      expect(world.vendor.backend.conversations().map((one) => one.status)).toEqual(["closed"]);
    },
  );

  it("should come to exactly one outcome when it is cancelled in the moment the agent accepts, eight times [F062 part: API]", async () => {
    const turns: BotTurn[] = [];
    const bot: Bot = { answer: async (turn) => (turns.push(turn), turn.message?.text === "agent" ? { handover: {} } : {}) };
    const world = await openInstances({ bot });
    const { backend } = world.vendor;
    const rounds = Array.from({ length: 8 }, async (_, round) => {
      const conversation = `c${round}`;
      const chat = world.record(conversation);
      await world.runtimes[round % world.runtimes.length]!.requestHandover({ ...address, conversation, options: { queue: conversation } });
      await chat.untilStatus("queued");
      const { id } = backend.conversations().find((one) => backend.conversation(one.id).routing["queue"] === conversation)!;
      const leaves = () => world.runtimes.at(-1)!.endHandover({ ...address, conversation });
      // Now the one is first, now the other.
      if (round % 2 === 0) await Promise.all([leaves(), backend.agentAccepts(id)]);
      else await Promise.all([backend.agentAccepts(id), leaves()]);
      await chat.untilStatus("ended");
      const wasActive = chat.statuses().includes("active");
      expect(chat.statuses()).toEqual(["requested", "queued", ...(wasActive ? ["active", "ended/completed"] : ["ended/cancelled"])]);
      await expect
        .poll(() => turns.filter((turn) => turn.conversation === conversation && turn.event).map(({ event }) => event))
        .toEqual([{ type: "ended", reason: wasActive ? "completed" : "cancelled" }]);
    });
    await Promise.all(rounds);
    expect(backend.conversations().map(({ status }) => status)).toEqual(Array(8).fill("closed"));
  });

  it("should be ended for the user only when the desk, which refuses at first, has closed it, and say so once [F064]", async () => {
    const world = await openInstances();
    const { backend } = world.vendor;
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await ticketOf(world.vendor);
    const closings = () => backend.calls.filter(({ path }) => path.endsWith("/close")).length;
    backend.setFaults({ failRate: 1, status: 503, only: "POST /conversations/:/close" });
    await world.runtime.endHandover(address);
    await expect.poll(closings).toBeGreaterThan(3);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    backend.setFaults({});
    const end = await chat.untilStatus("ended");
    expect(backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(end.text).toBe("Your request was cancelled.");
    await chat.until("the bot", ({ text }) => text === "back: cancelled");
    expect(ended(chat.statuses())).toEqual(["ended/cancelled"]);
    const callsAtTheEnd = closings();
    await world.say("c", "2", "bot?");
    await chat.until("the bot again", ({ text }) => text === "echo bot?");
    expect(closings()).toBe(callsAtTheEnd);
  });

  const outages = [
    { what: "refuses to be closed", faults: { failRate: 1, status: 500, only: "POST /conversations/:/close" } },
    { what: "answers nothing but 503", faults: { failRate: 1, status: 503 } },
  ];
  it.each(outages)(
    "should let go of a user who leaves a desk that $what for long, and close it in the background when it can [F064 part: a long outage]",
    async ({ faults }) => {
      const world = await openInstances({ timing: { callTimeoutMs: 400 } });
      const { backend } = world.vendor;
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus("queued");
      await backend.waitFor(([one]) => one?.messages.length === 2);
      backend.setFaults(faults);
      const written = await world.say("c", "2", "before I go");
      await world.runtime.endHandover(address);
      const end = await chat.untilStatus("ended");
      expect(end).toMatchObject({ reason: "cancelled", cause: { actor: "user" }, text: "Your request was cancelled." });
      await chat.until("the bot", ({ text }) => text === "back: cancelled");
      expect(backend.conversations().map(({ status }) => status)).toEqual(["queued"]);
      // What was written before has come there or is named as failed.
      const hasArrived = backend.conversations()[0]!.messages.at(-1)?.text === "before I go";
      const failed = chat
        .visible()
        .filter(({ event }) => event === "message-failed")
        .map(({ about }) => about);
      expect(failed).toEqual(hasArrived ? [] : [written.seq]);
      await world.say("c", "3", "bot?");
      await chat.until("the bot again", ({ text }) => text === "echo bot?");
      // Whoever closes it then is not the process that was asked to.
      for (const runtime of world.runtimes) await world.stopRuntime(runtime);
      await world.another();
      backend.setFaults({});
      await backend.waitFor(([one]) => one?.status === "closed", { timeoutMs: 10_000 });
      const again = world.record("c");
      await again.until("the bot again", ({ text }) => text === "echo bot?");
      expect(again.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
    },
  );

  it.each(["before the desk is told", "after the desk has closed, before that is stored", "while the desk closes it too"])(
    "should leave no side open when the process dies %s [F064 part: kill]",
    async (moment) => {
      const hit = Promise.withResolvers<undefined>();
      let isFirst = true;
      const provider = changedProvider((connection) => ({
        async end(handover, end, call) {
          if (!isFirst) return (await connection.end?.(handover, end, call)) ?? "ended";
          isFirst = false;
          if (moment.startsWith("after")) await connection.end?.(handover, end, call);
          hit.resolve(undefined);
          return new Promise<never>(() => undefined);
        },
      }));
      const world = await open({ store, runtime: { providers: [provider] }, timing: { callTimeoutMs: 200, leaseMs: 600 } });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus("queued");
      const ticket = await ticketOf(world.vendor);
      await world.runtime.endHandover(address);
      await hit.promise;
      const closes = moment.startsWith("while") ? world.vendor.backend.agentCloses(ticket) : undefined;
      await world.kill();
      await closes;
      await world.another();
      const again = world.record("c");
      await again.until("the bot", ({ text }) => text === "back: cancelled");
      await world.say("c", "2", "bot?");
      await again.until("the bot again", ({ text }) => text === "echo bot?");
      expect(again.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
      expect(world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    },
  );

  it("should hold an active handover through a minute in which nothing works, with at most one word about it, and lose nothing of either side [F069]", async () => {
    const clock = createManualClock();
    const world = await open({ store, runtime: { clock }, vendor: { clock, eventNumbers: "sparse" } });
    const { backend } = world.vendor;
    const chat = world.record("c");
    const passes = (what: () => boolean) =>
      expect.poll(async () => (await clock.advance(250), what()), { interval: 2, timeout: 8_000 }).toBe(true);
    await world.say("c", "1", "agent");
    await passes(() => chat.statuses().includes("queued"));
    const ticket = await ticketOf(world.vendor);
    await backend.waitFor(([one]) => one?.messages.length === 2);
    await backend.agentSays(ticket, "hello");
    await passes(() => chat.statuses().includes("active"));
    const before = chat.entries.length;
    backend.setFaults({ failRate: 1, status: 503, dropWebhookRate: 1 });
    const texts = ["one", "two", "three"];
    for (const text of texts) {
      await world.say("c", text, text);
      await backend.agentSays(ticket, `agent ${text}`);
    }
    await backend.settle();
    for (let second = 0; second < 60; second += 1) {
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(1_000);
    }
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    expect(
      chat
        .visible()
        .slice(before)
        .filter(({ kind }) => kind !== "message").length,
    ).toBeLessThanOrEqual(1);
    backend.setFaults({});
    const lines = (role: string) => chat.lines().filter((line) => line.startsWith(role));
    await passes(() => lines("agent").length === 4 && backend.conversations()[0]!.messages.length === 9);
    expect(lines("agent")).toEqual(["agent: hello", ...texts.map((text) => `agent: agent ${text}`)]);
    const atTheDesk = backend.conversations()[0]!.messages.filter(({ author }) => author === "user");
    expect(atTheDesk.map(({ text }) => text)).toEqual(["agent", ...texts]);
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should give the agent what the user presses, by title or, where there is none, by payload, and not wake the bot [F066 runtime part]", async () => {
    const choices = [
      { id: "y", title: "Yes", payload: "YES_1" },
      { id: "n", title: " ", payload: "NO_1" },
    ];
    const asked: string[] = [];
    const bot: Bot = {
      async answer({ message, event }) {
        asked.push(message?.text ?? event?.type ?? "");
        return message?.text === "agent" ? { handover: {} } : { messages: [{ text: "A person?", choices }] };
      },
    };
    const world = await openInstances({ bot });
    const chat = world.record("c");
    await world.say("c", "1", "hello");
    const { seq } = await chat.until("the choices", (entry) => entry.choices !== undefined);
    await world.say("c", "2", "agent");
    await chat.untilStatus("queued");
    const ticket = await ticketOf(world.vendor);
    await world.vendor.backend.agentSays(ticket, "hello");
    await chat.untilStatus("active");
    for (const choice of ["y", "n"]) {
      const runtime = world.runtimes.at(choice === "y" ? 0 : -1)!;
      await runtime.receiveMessage({ ...address, message: { id: `press-${choice}`, answer: { seq, choice } } });
    }
    const [one] = await world.vendor.backend.waitFor(([conversation]) => conversation?.messages.at(-1)?.text === "NO_1");
    expect(one!.messages.slice(-2)).toMatchObject([
      { author: "user", text: "Yes" },
      { author: "user", text: "NO_1" },
    ]);
    expect(asked).toEqual(["hello", "agent"]);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should keep two sessions of one user apart where the desk takes both [F067 part: a desk that takes both]", async () => {
    const world = await openInstances();
    const { backend } = world.vendor;
    const user = { id: "one-user", name: "Kim" };
    const names = ["left", "right"];
    const chats = names.map((name) => world.record(name));
    const handovers = await Promise.all(
      names.map(async (conversation, index) => {
        const runtime = world.runtimes.at(-index)!;
        return (await runtime.requestHandover({ ...address, conversation, user, options: { queue: conversation } })).handover;
      }),
    );
    expect(new Set(handovers).size).toBe(2);
    for (const chat of chats) await chat.untilStatus("queued");
    const ticket = (name: string) => backend.conversations().find(({ id }) => backend.conversation(id).routing["queue"] === name)!.id;
    for (const name of names) await world.say(name, "1", `only ${name}`);
    for (const name of names) await backend.agentSays(ticket(name), `to the ${name}`);
    for (const [index, chat] of chats.entries()) await chat.until("the agent", ({ text }) => text === `to the ${names[index]}`);
    await backend.agentCloses(ticket("left"));
    await chats[0]!.untilStatus("ended");
    await world.say("right", "2", "still here");
    await backend.waitFor((all) => all.some(({ messages }) => messages.at(-1)?.text === "still here"));
    for (const [index, name] of names.entries()) {
      const texts = chats[index]!.lines();
      expect(texts.filter((line) => line.startsWith("agent"))).toEqual([`agent: to the ${name}`]);
      const atTheDesk = backend.conversation(ticket(name)).messages.filter(({ author }) => author === "customer");
      expect(atTheDesk.map(({ text }) => text)).toEqual(name === "left" ? ["only left"] : ["only right", "still here"]);
    }
    expect(chats[1]!.statuses()).toEqual(["requested", "queued", "active"]);
  });
});

describe("a change of agents", () => {
  const [ada, bob] = [
    { id: "a", name: "Ada" },
    { id: "b", name: "Bob" },
  ];
  const left: HandoverEvent = { type: "agent-left", agent: ada };
  const toBob: HandoverEvent = { type: "transferred", agent: bob };
  const toQueue: HandoverEvent = { type: "transferred", queue: { name: "second level" } };
  const joined: HandoverEvent = { type: "agent-joined", agent: bob, hasAccepted: true };
  const assigned: HandoverEvent = { type: "agent-joined", agent: bob, hasAccepted: false };
  const declined: HandoverEvent = { type: "agent-left", agent: bob };
  const orders: readonly (readonly [string, readonly HandoverEvent[]])[] = [
    ["transfer to an agent: left, transferred, joined", [left, toBob, joined]],
    ["transfer to an agent: left, joined, transferred", [left, joined, toBob]],
    ["transfer to an agent: transferred, left, joined", [toBob, left, joined]],
    ["transfer to an agent: transferred, joined, left", [toBob, joined, left]],
    ["transfer to a queue: left, transferred", [left, toQueue, joined]],
    ["transfer to a queue: transferred, left", [toQueue, left, joined]],
    ["an agent who declines", [left, assigned, declined, joined]],
    ["an agent who declines, after the transfer is told", [toBob, left, declined, joined]],
  ];

  it.each(orders)("should go from active over queued to active and never end: %s [F057 part: runtime]", async (_order, events) => {
    const desks = scriptDesks({ desk: {} });
    const world = await open({ runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const all: readonly HandoverEvent[] = [{ type: "agent-joined", agent: ada, hasAccepted: true }, ...events];
    for (const event of all) await desks.deliver(world.runtime, "desk", { events: [event] });
    await chat.untilStatus("active", 2);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued", "active"]);
    const arrivals = chat
      .visible()
      .filter(({ event }) => event === "agent-joined")
      .map(({ author }) => author?.name);
    const comesTwice = events.includes(assigned);
    expect(arrivals).toEqual(comesTwice ? ["Ada", "Bob", "Bob"] : ["Ada", "Bob"]);
  });

  it.each([
    ["joined, transferred, left", [joined, toBob, left]],
    ["joined, left, transferred", [joined, left, toBob]],
  ] as const)(
    "should stay active when the new agent has accepted before the old one is gone: %s [F057 part: runtime]",
    async (_order, events) => {
      const desks = scriptDesks({ desk: {} });
      const world = await open({ runtime: desks.runtime });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus("queued");
      const message = { id: "m", author: { role: "agent" as const, ...bob }, text: "it is me now", sentAt: new Date().toISOString() };
      const all: readonly HandoverEvent[] = [{ type: "agent-joined", agent: ada, hasAccepted: true }, ...events];
      for (const event of [...all, { type: "message-received" as const, message }]) {
        await desks.deliver(world.runtime, "desk", { events: [event] });
      }
      await chat.until("the new agent", ({ text }) => text === "it is me now");
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
      const arrivals = chat
        .visible()
        .filter(({ event }) => event === "agent-joined")
        .map(({ author }) => author?.name);
      expect(arrivals).toEqual(["Ada", "Bob"]);
    },
  );
});
