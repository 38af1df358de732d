import { describe, expect, it } from "vitest";
import { HandoverError, type HandoverEvent, type VendorDelivery } from "@handover/core";
import type { Store } from "@handover/runtime";
import { createManualClock } from "../runtime/support/manual-clock.ts";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { scriptDesks, ticketOf, type DeskScript } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import type { WorldOptions } from "../runtime/support/world.ts";
import { changedProvider } from "./support/changed-provider.ts";
import { agentLines, deskLines, handOver, metric, numbered, poll, said } from "./support/talk.ts";

const open = useWorld();

/** The same numbers from 0 up to 1 each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

function shuffled<Item>(items: readonly Item[], roll: () => number): Item[] {
  return items
    .map((item) => ({ item, place: roll() }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

const slowMethods = ["commit", "receive", "readConversation"] as const;

/** A store that now and then takes up to 6 ms longer, before it has done what it was asked or after. */
function slowStore(roll: () => number): (store: Store) => Store {
  const slow =
    (method: (...given: unknown[]) => Promise<unknown>) =>
    async (...given: unknown[]) => {
      const luck = roll();
      if (luck < 0.15) await pause(roll() * 6);
      const answer = await method(...given);
      if (luck > 0.85) await pause(roll() * 6);
      return answer;
    };
  return (inner) => ({
    ...inner,
    ...Object.fromEntries(slowMethods.map((name) => [name, slow(inner[name] as (...given: unknown[]) => Promise<unknown>)])),
  });
}

/** A world with a scripted desk and a queued handover. */
async function openScripted(script: DeskScript, options: WorldOptions) {
  const desks = scriptDesks({ desk: script });
  const world = await open({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
  const chat = world.record("c");
  await world.say("c", "start", "agent");
  await chat.untilStatus("queued");
  const deliver = (events: readonly HandoverEvent[], delivery: Partial<VendorDelivery> = {}, side = world.runtime) =>
    desks.deliver(side, "desk", { events }, delivery);
  return { desks, world, chat, deliver };
}

const order = (position: number, dense = true) => ({ id: `event:${position}`, order: { group: "events", position, dense } });

describeOnStores("messages that are written quickly", (store) => {
  it("should keep their order both ways, fifty each at once, whatever store and vendor take, and conversations do not wait for each other [F030]", async () => {
    const roll = dice(30);
    const sent: string[] = [];
    const blocked = Promise.withResolvers<undefined>();
    const script = {
      async sendMessage(_handover: unknown, part: { readonly message: { readonly text?: string } }) {
        const text = part.message.text ?? "";
        if (text === "blocked") await blocked.promise;
        await pause(roll() * 3);
        sent.push(text);
        return {};
      },
    };
    const clock = createManualClock();
    const reorderWindowMs = 3_000;
    const ticking =
      <Value>(read: () => Value) =>
      async () => (await clock.advance(5), read());
    const { world, chat, deliver, desks } = await openScripted(script, {
      store,
      wrapStore: slowStore(roll),
      // Its clock hardly moves: the window is over once, for the first, and nothing is skipped because everything is slow.
      runtime: { clock },
      timing: { reorderWindowMs, callTimeoutMs: 15_000 },
    });
    if (store === "postgres") for (let count = 1; count < 3; count += 1) await world.another();
    const ticket = desks.started["desk"];
    // Another conversation, whose desk takes nothing for as long as this one talks.
    const other = world.record("other");
    await world.say("other", "start", "agent");
    await other.untilStatus("queued");
    await world.say("other", "1", "blocked");
    const sides = () => world.runtimes[Math.floor(roll() * world.runtimes.length)] ?? world.runtime;
    const references = ticket ? [ticketOf(ticket)] : [];
    await deliver([said("first", "first")], { ...order(0), references });
    await poll(async () => (await clock.advance(reorderWindowMs / 10), agentLines(chat)), { interval: 10, timeout: 5_000 }).toEqual([
      "first",
    ]);
    const texts = numbered(50);
    const arriving = shuffled([...texts.keys()], roll).map((index) =>
      deliver([said(`m${index}`, texts[index])], { ...order(index + 1), references }, sides()),
    );
    const writing = texts.map((text) => world.say("c", text, text));
    const answers = await Promise.all(writing);
    await Promise.all(arriving);
    await poll(
      ticking(() => agentLines(chat).length),
      { timeout: 15_000 },
    ).toBe(51);
    expect(agentLines(chat)).toEqual(["first", ...texts]);
    await poll(
      ticking(() => sent.length),
      { timeout: 15_000 },
    ).toBe(50);
    const bySeq = texts.map((text, index) => ({ text, seq: answers[index]?.seq ?? 0 })).toSorted((left, right) => left.seq - right.seq);
    expect(sent).toEqual(bySeq.map(({ text }) => text));
    blocked.resolve(undefined);
    await poll(ticking(() => sent.at(-1))).toBe("blocked");
  });
});

describeOnStores("webhooks that come in another order", (store) => {
  it.each([
    ["without holes in its numbers", true],
    ["with numbers that only rise", false],
  ])("should be read as the agent wrote them, 2, 1, 5, 3, 4, by a vendor %s [F031]", async (_kind, dense) => {
    const { chat, deliver } = await openScripted({}, { store, timing: { reorderWindowMs: 400 } });
    await deliver([said("m0", "line 0")], order(0, dense));
    await chat.until("the first line", ({ text }) => text === "line 0");
    for (const number of [2, 1, 5, 3, 4]) await deliver([said(`m${number}`, `line ${number}`)], order(number, dense));
    await chat.until("the last line", ({ text }) => text === "line 5");
    expect(agentLines(chat)).toEqual(["line 0", ...numbered(5)]);
    expect(chat.entries.some((entry) => "isLate" in entry)).toBe(false);
  });

  it("should be looked for where one is missing, and then go on without it [F031 part: holes]", async () => {
    const listing: VendorDelivery[] = [];
    const asked: number[] = [];
    const { world, chat, deliver, desks } = await openScripted(
      {
        async catchUp() {
          asked.push(agentLines(chat).length);
          return { deliveries: [...listing], cursor: listing.length, hasMore: false };
        },
      },
      { store, timing: { reorderWindowMs: 100 } },
    );
    const { desk: request } = desks.started;
    const references = request ? [ticketOf(request)] : [];
    const delivery = (number: number): VendorDelivery => ({
      ...order(number),
      references,
      payload: { events: [said(`m${number}`, `line ${number}`)] } as never,
    });
    const bring = (number: number) => deliver([said(`m${number}`, `line ${number}`)], order(number));
    await bring(1);
    await chat.until("the first line", ({ text }) => text === "line 1");
    // The second one was lost on its way, and can be found.
    listing.push(delivery(2));
    await bring(3);
    await chat.until("the third line", ({ text }) => text === "line 3");
    // The fourth one cannot.
    await bring(5);
    await chat.until("the fifth line", ({ text }) => text === "line 5");
    expect(agentLines(chat)).toEqual(["line 1", "line 2", "line 3", "line 5"]);
    expect(asked).toEqual(expect.arrayContaining([1, 3]));
    expect(metric(world.runtime, "handover_deliveries_total", { result: "skipped" })).toBe(1);
  });
});

describeOnStores("a message that is tried again", (store) => {
  it("should hold back those after it until its third try works [F032]", async () => {
    const tries: string[] = [];
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part, call) {
        const text = part.message.text ?? "";
        tries.push(text);
        if (text === "line 2" && tries.filter((one) => one === text).length < 3) {
          throw new HandoverError({ code: "BUSY", message: "Busy.", isRetryable: true });
        }
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
    }));
    const world = await open({ store, runtime: { providers: [provider] } });
    const { chat, ticket } = await handOver(world);
    for (const text of numbered(4)) await world.say("c", text, text);
    await poll(() => deskLines(world, ticket)).toEqual(numbered(4));
    expect(tries).toEqual(["line 1", "line 2", "line 2", "line 2", "line 3", "line 4"]);
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });

  it("should be given up where everybody sees it, and never appear later [F032 part: given up]", async () => {
    const tries: string[] = [];
    let isBusy = true;
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part, call) {
        const text = part.message.text ?? "";
        tries.push(text);
        if (text === "line 2" && isBusy) throw new HandoverError({ code: "BUSY", message: "Busy.", isRetryable: true });
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
    }));
    const world = await open({
      store,
      runtime: { providers: [provider] },
      timing: { messageRetryMs: 150, leaseMs: 1_000, callTimeoutMs: 300 },
    });
    const { chat, ticket } = await handOver(world);
    for (const text of numbered(4)) await world.say("c", text, text);
    const notice = await chat.until("the notice", ({ event }) => event === "message-failed");
    expect(chat.visible().find(({ seq }) => seq === notice.about)?.text).toBe("line 2");
    isBusy = false;
    const triesOfIt = tries.filter((text) => text === "line 2").length;
    await poll(() => deskLines(world, ticket)).toEqual(["line 1", "line 3", "line 4"]);
    await world.kill();
    await world.another();
    await world.say("c", "line 5", "line 5");
    await poll(() => deskLines(world, ticket), { timeout: 10_000 }).toEqual(["line 1", "line 3", "line 4", "line 5"]);
    expect(tries.filter((text) => text === "line 2")).toHaveLength(triesOfIt);
  });
});

describeOnStores("the end", (store) => {
  it("should be shown after the agent's last words, which came 200 ms later than it [F033]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: {} });
    const world = await open({ store, runtime: { ...desks.runtime, clock }, timing: { reorderWindowMs: 300 } });
    const chat = world.record("c");
    await world.say("c", "start", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", { events: [said("m1", "hello")] });
    await chat.untilStatus("active");
    await desks.deliver(world.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] });
    await poll(() => metric(world.runtime, "handover_deliveries_total", { result: "translated" })).toBe(2);
    await clock.advance(200);
    await world.quiet();
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    await desks.deliver(world.runtime, "desk", { events: [said("m2", "last words")] });
    await poll(() => agentLines(chat)).toEqual(["hello", "last words"]);
    await clock.advance(200);
    const ended = await chat.untilStatus("ended");
    expect(chat.visible().find(({ text }) => text === "last words")?.seq).toBeLessThan(ended.seq);
    expect(chat.entries.some((entry) => "isLate" in entry)).toBe(false);
  });

  it("should stay when an agent is said to have joined before it, and an overtaken word about the queue changes nothing [F034 part: runtime]", async () => {
    const { world, chat, deliver } = await openScripted({}, { store, timing: { reorderWindowMs: 50 } });
    const bring = (number: number, event: HandoverEvent) => deliver([event], order(number, false));
    await bring(5, { type: "queue-updated", queue: { position: 1 } });
    await chat.until("the queue", ({ event }) => event === "queue-updated");
    await bring(3, { type: "queue-updated", queue: { position: 7 } });
    await bring(9, { type: "ended", reason: "completed", actor: "agent" });
    await chat.untilStatus("ended");
    await bring(7, { type: "agent-joined", agent: { id: "a1", name: "Ada" }, hasAccepted: true });
    await bring(8, { type: "queued", queue: { position: 2 } });
    await poll(() => metric(world.runtime, "handover_journal_total", { what: "event-after-end" })).toBe(2);
    await chat.until("the bot", ({ text }) => text === "back: completed");
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/completed"]);
    expect(chat.visible().flatMap(({ event, queue }) => (event ? [[event, queue?.position]] : []))).toEqual([["queue-updated", 1]]);
  });
});

describeOnStores("the transcript", (store) => {
  it("should be at the desk in order, whatever each call takes, and without waiting for a clock [F036]", async () => {
    const roll = dice(36);
    const sent: string[] = [];
    // The clock never moves: whatever waited for a time would wait for ever.
    const clock = createManualClock();
    const desks = scriptDesks({
      desk: {
        start: async (request) => ({ references: [ticketOf(request)], state: {}, transcriptThrough: 0, relay: "both" }),
        async sendMessage(_handover, part) {
          await pause(roll() * 3);
          sent.push(`${part.message.author.role}: ${part.message.text ?? ""}`);
          return {};
        },
      },
    });
    const world = await open({ store, wrapStore: slowStore(roll), runtime: { ...desks.runtime, clock } });
    const chat = world.record("c");
    const expected: string[] = [];
    for (const text of numbered(8)) {
      await world.say("c", text, text);
      await chat.until(text, (entry) => entry.text === `echo ${text}`);
      expected.push(`user: ${text}`, `bot: echo ${text}`);
    }
    await world.say("c", "ask", "agent");
    await world.say("c", "live", "live");
    await poll(() => sent.length, { timeout: 15_000 }).toBe(19);
    expect(sent).toEqual([...expected, "user: agent", "bot: one moment", "user: live"]);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });
});

describe("a start", () => {
  it("should take no fixed pause either where the desk takes the transcript with it [F036 part: test vendor]", async () => {
    const world = await open({ runtime: { clock: createManualClock() } });
    const { chat, ticket } = await handOver(world);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    expect(world.vendor.backend.conversation(ticket).messages.map(({ text }) => text)).toEqual(["agent for c", "one moment"]);
  });
});
