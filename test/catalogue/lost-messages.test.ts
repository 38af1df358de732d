import { describe, expect, it } from "vitest";
import { HandoverError, type HandoverProvider, type ProviderContext } from "@handover/core";
import type { Bot, BotTurn, Store } from "@handover/runtime";
import { testVendorProvider } from "@handover/testkit";
import { createServer } from "../../apps/host/src/server/server.ts";
import { startTestHost } from "../../apps/host/test/support/test-host.ts";
import { createManualClock, type ManualClock } from "../runtime/support/manual-clock.ts";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import type { World } from "../runtime/support/world.ts";
import { changedProvider } from "./support/changed-provider.ts";
import { agentLines, deskLines, handOver, metric, numbered, poll, said } from "./support/talk.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
/** Nothing that was lost can be asked for: what is there in the end was in the store. */
const cannotBeAsked = { catchUp: false, findChanged: false };

/** Moves the clock on in small steps until something is so. */
async function advanceUntil(world: World, clock: ManualClock, stepMs: number, isSo: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(15_000);
  while (!isSo()) {
    if (patience.aborted) throw new Error(`Not so by ${new Date(clock.now()).toISOString()}.`);
    await clock.advance(stepMs);
    await world.quiet();
  }
}

/** A queued handover of a world whose clock stands still by itself. */
async function handOverByHand(world: World, clock: ManualClock, conversation = "c") {
  const [talk] = await Promise.all([
    handOver(world, conversation),
    advanceUntil(world, clock, 20, () =>
      world.vendor.backend.conversations().some(({ messages }) => messages.some(({ text }) => text === `agent for ${conversation}`)),
    ),
  ]);
  return talk;
}

describeOnStores("what the desk says", (store) => {
  it("should be shown within one interval, in its place and once, although its webhook was lost [F001]", async () => {
    const catchUpIntervalMs = 2_000;
    const world = await open({ store, timing: { catchUpIntervalMs, reorderWindowMs: 100 } });
    const { backend } = world.vendor;
    const { chat, ticket } = await handOver(world);
    const shown = (text: string) => chat.until(text, (entry) => entry.text === text);
    await backend.agentSays(ticket, "line 1");
    await shown("line 1");
    backend.setFaults({ dropWebhookRate: 1, times: 1 });
    for (const text of ["line 2", "line 3"]) await backend.agentSays(ticket, text);
    await shown("line 3");
    backend.setFaults({ dropWebhookRate: 1, times: 1 });
    const lostAtMs = performance.now();
    await backend.agentSays(ticket, "line 4");
    await shown("line 4");
    expect(performance.now() - lostAtMs).toBeLessThanOrEqual(catchUpIntervalMs);
    backend.setFaults({});
    await backend.agentSays(ticket, "line 5");
    await shown("line 5");
    expect(agentLines(chat)).toEqual(numbered(5));
  });

  it("should be taken in less than a second and be in the store, while the user's channel is blocked for 30 seconds [F002 runtime]", async () => {
    const clock = createManualClock();
    let stored = 0;
    const wrapStore = (inner: Store): Store => ({
      ...inner,
      async receive(deliveries) {
        const result = await inner.receive(deliveries);
        stored += result.added;
        return result;
      },
    });
    const world = await open({ store, wrapStore, runtime: { clock }, vendor: { clock, abilities: cannotBeAsked } });
    const channel = Promise.withResolvers<undefined>();
    let pushes = 0;
    world.runtime.onEntry(() => ((pushes += 1), channel.promise));
    const { chat, ticket } = await handOverByHand(world, clock);
    await world.vendor.backend.settle();
    const [blockedAtMs, storedBefore] = [clock.now(), stored];
    const lines = numbered(30);
    for (const [index, text] of lines.entries()) {
      await clock.advance(1_000);
      const startedAt = performance.now();
      await world.vendor.backend.agentSays(ticket, text);
      await world.vendor.backend.settle();
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(stored - storedBefore).toBe(index + 1);
    }
    expect(clock.now() - blockedAtMs).toBeGreaterThanOrEqual(30_000);
    expect(pushes).toBeGreaterThan(0);
    const taken = metric(world.runtime, "handover_webhooks_total");
    expect(metric(world.runtime, "handover_webhooks_total", { result: "OK" })).toBe(taken);
    await advanceUntil(world, clock, 20, () => agentLines(chat).length === lines.length);
    expect(agentLines(chat)).toEqual(lines);
    channel.resolve(undefined);
  });

  it("should be refused with 5xx when it cannot be stored, and survive a kill right after its 200 [F003]", async () => {
    let isFull = false;
    const wrapStore = (inner: Store): Store => ({
      ...inner,
      receive: (deliveries) => (isFull ? Promise.reject(new Error("The disk is full.")) : inner.receive(deliveries)),
    });
    const world = await open({ store, wrapStore, vendor: { abilities: cannotBeAsked }, timing: { leaseMs: 1_000, callTimeoutMs: 300 } });
    const { backend } = world.vendor;
    const { ticket } = await handOver(world);
    await backend.settle();
    isFull = true;
    const before = metric(world.runtime, "handover_webhooks_total", { result: "OK" });
    const answers: number[] = [];
    const [{ webhookUrl = "" } = {}] = world.runtime.connections();
    const deliver = async () => {
      const events = backend.conversation(ticket).events.slice(-1);
      const body = Buffer.from(JSON.stringify({ events }));
      const request = new Request(webhookUrl, { method: "POST", body, headers: backend.signWebhook(body) });
      answers.push((await world.runtime.handleWebhook("desk", request)).status);
    };
    backend.setWebhookUrl(undefined);
    await backend.agentSays(ticket, "said once");
    await deliver();
    expect(metric(world.runtime, "handover_webhooks_total", { result: "OK" })).toBe(before);
    isFull = false;
    await deliver();
    await world.kill();
    expect(answers).toEqual([503, 200]);
    await world.another();
    const after = world.record("c");
    await after.until("the line", ({ text }) => text === "said once");
    expect(agentLines(after)).toEqual(["said once"]);
  });

  it("should arrive once and in order, from the stored cursor on, when the host was dead while it was said [F007]", async () => {
    const world = await open({ store, timing: { leaseMs: 1_000, callTimeoutMs: 300, catchUpIntervalMs: 400 } });
    const { backend } = world.vendor;
    const { chat, ticket } = await handOver(world);
    await backend.agentSays(ticket, "line 1");
    await chat.until("the first line", ({ text }) => text === "line 1");
    const listings = () => backend.calls.filter(({ path }) => path.startsWith(`/conversations/${ticket}/events`)).map(({ path }) => path);
    const cursorOf = (path: string) => Number(new URL(path, "http://vendor").searchParams.get("after"));
    const firstLine = backend.conversation(ticket).events.at(-1)?.number ?? 0;
    await poll(() => listings().some((path) => cursorOf(path) >= firstLine)).toBe(true);
    await world.kill();
    const seen = listings().length;
    for (const text of ["line 2", "line 3", "line 4"]) await backend.agentSays(ticket, text);
    await backend.settle();
    await world.another();
    const after = world.record("c");
    await after.until("the last line", ({ text }) => text === "line 4");
    expect(agentLines(after)).toEqual(numbered(4));
    expect(Math.min(...listings().slice(seen).map(cursorOf))).toBeGreaterThanOrEqual(firstLine);
  });
});

describeOnStores("what the user says", (store) => {
  it("should arrive once and before what follows when the desk answers 503 twice [F004]", async () => {
    const world = await open({ store });
    const { ticket } = await handOver(world);
    world.vendor.backend.setFaults({ failRate: 1, status: 503, times: 2, only: "POST /conversations/:/messages" });
    for (const text of numbered(2)) await world.say("c", text, text);
    await poll(() => deskLines(world, ticket)).toEqual(numbered(2));
    const sent = world.vendor.backend.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
    expect(sent).toHaveLength(4);
  });

  it("should be there in order when the agent opens what was written while nobody had answered, and go to the bot when nobody can be reached [F010]", async () => {
    const turns: BotTurn[] = [];
    const bot: Bot = {
      async answer(turn) {
        turns.push(turn);
        return turn.message?.text?.startsWith("agent") ? { handover: {}, messages: [{ text: "one moment" }] } : {};
      },
    };
    const world = await open({ store, bot, timing: { startTimeoutMs: 1_500 } });
    const { backend } = world.vendor;
    const { chat, ticket } = await handOver(world);
    for (const text of numbered(5)) await world.say("c", text, text);
    await poll(() => deskLines(world, ticket).length).toBe(5);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    await backend.agentAccepts(ticket);
    await chat.untilStatus("active");
    expect(deskLines(world, ticket)).toEqual(numbered(5));

    backend.setFaults({ failRate: 1, status: 503 });
    const failing = world.record("failing");
    await world.say("failing", "ask", "agent for failing");
    await failing.untilStatus("requested");
    for (const text of numbered(5)) await world.say("failing", text, text);
    const ended = await failing.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "failed", text: "We could not reach our team. Please try again later." });
    await poll(() => turns.at(-1)?.event?.type).toBe("ended");
    expect(turns.at(-1)?.event?.undelivered?.map(({ text }) => text)).toEqual(numbered(5));
    const notices = failing.visible().filter(({ event }) => event === "message-failed");
    expect(notices.map(({ about }) => failing.visible().find(({ seq }) => seq === about)?.text)).toEqual(numbered(5));
  });

  it("should still be exchanged both ways after a re-queue when every cache is empty [F011]", async () => {
    const caches: ProviderContext["cache"][] = [];
    let misses = 0;
    const provider = changedProvider(
      (connection) => ({
        async sendMessage(handover, part, call) {
          const cache = caches.at(-1);
          if (cache?.get("route") === undefined) misses += 1;
          cache?.set("route", handover.id, 60_000);
          return (await connection.sendMessage?.(handover, part, call)) ?? {};
        },
      }),
      {
        ...(testVendorProvider as unknown as HandoverProvider),
        connect(settings, context) {
          caches.push(context.cache);
          return (testVendorProvider as unknown as HandoverProvider).connect(settings, context);
        },
      },
    );
    const world = await open({ store, runtime: { providers: [provider] }, timing: { leaseMs: 1_000, callTimeoutMs: 300 } });
    const { backend } = world.vendor;
    const { ticket } = await handOver(world);
    const expected: string[] = [];
    const bothWays = async (word: string) => {
      expected.push(word);
      const chat = world.record("c");
      await backend.agentSays(ticket, word);
      await chat.until(word, ({ text, author }) => text === word && author?.role === "agent");
      await world.say("c", word, word);
      await poll(() => deskLines(world, ticket)).toEqual(expected);
      expect(agentLines(chat)).toEqual(expected);
    };
    await bothWays("active");
    await backend.agentTransfers(ticket);
    await world.record("c").untilStatus("queued", 2);
    await bothWays("after the re-queue");
    expect(misses).toBe(1);
    caches[0]?.delete("route");
    await bothWays("after the provider's cache was emptied");
    // A process that has just begun remembers nothing at all.
    await world.kill();
    await world.another();
    await bothWays("after everything was forgotten");
    expect(misses).toBe(3);
  });
});

describeOnStores("a message that cannot be delivered", (store) => {
  const timing = { messageRetryMs: 600, retryFirstMs: 20, retryMaximumMs: 100 };
  const notNow = () => new HandoverError({ code: "NOT_NOW", message: "Not now.", isRetryable: true });

  it("should be told to the user who wrote it and to nobody else, after the limit, and the conversation goes on [F012 user side]", async () => {
    const tries: number[] = [];
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part, call) {
        if (part.message.text !== "never") return (await connection.sendMessage?.(handover, part, call)) ?? {};
        tries.push(performance.now());
        throw notNow();
      },
    }));
    const world = await open({ store, runtime: { providers: [provider] }, timing });
    const { chat, ticket } = await handOver(world);
    await world.vendor.backend.settle();
    const eventsBefore = world.vendor.backend.conversation(ticket).events.length;
    await world.say("c", "bad", "never");
    await world.say("c", "good", "after it");
    const notice = await chat.until("the notice", ({ event }) => event === "message-failed");
    await poll(() => deskLines(world, ticket)).toEqual(["after it"]);
    expect(tries.length).toBeGreaterThan(4);
    expect((tries.at(-1) ?? 0) - (tries[0] ?? 0)).toBeGreaterThan(timing.messageRetryMs / 2);
    expect(notice).toMatchObject({ cause: { code: "NOT_NOW" }, text: "This message could not be delivered." });
    expect(chat.visible().find(({ seq }) => seq === notice.about)?.id).toBe("bad");
    const desk = world.vendor.backend.conversation(ticket);
    expect(desk.events.slice(eventsBefore).map(({ type }) => type)).toEqual(["message.created"]);
    expect(desk.signals.receipts).toEqual([]);
    await world.vendor.backend.agentSays(ticket, "I am here");
    await chat.untilStatus("active");
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toHaveLength(1);
  });

  it("should be told to the desk that wrote it and not to the user, after the limit, and the conversation goes on [F012]", async () => {
    const world = await open({ store, timing });
    const { backend } = world.vendor;
    const tries: number[] = [];
    const pushed: string[] = [];
    world.runtime.onEntry(async (entry) => {
      const text = entry.kind === "hidden" ? "" : (entry.text ?? entry.status ?? entry.event ?? "");
      if (text !== "never") return void pushed.push(text);
      tries.push(performance.now());
      throw notNow();
    });
    const { chat, ticket } = await handOver(world);
    const never = backend.people.say(ticket, "never");
    backend.people.say(ticket, "after it");
    await poll(() => pushed).toContain("after it");
    await poll(() => backend.conversation(ticket).signals.receipts).toMatchObject([{ messages: [never], status: "failed" }]);
    expect(tries.length).toBeGreaterThan(4);
    expect((tries.at(-1) ?? 0) - (tries[0] ?? 0)).toBeGreaterThan(timing.messageRetryMs / 2);
    expect(pushed).not.toContain("message-failed");
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
    await world.say("c", "on", "we go on");
    await poll(() => deskLines(world, ticket)).toEqual(["we go on"]);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    expect(backend.conversation(ticket).signals.receipts).toHaveLength(1);
  });
});

describe("what nobody reads any more", () => {
  it("should be told to the agent who wrote it after the end [F012 after the end]", async () => {
    const reports: unknown[] = [];
    const desks = scriptDesks({ desk: { reportDelivery: async (_handover, report) => void reports.push(report) } });
    const world = await open({ runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    const late = {
      ...said("m1"),
      message: {
        id: "m1",
        author: { role: "agent" as const, id: "a1" },
        text: "hello?",
        sentAt: new Date(Date.now() + 60_000).toISOString(),
      },
    };
    await desks.deliver(world.runtime, "desk", { events: [late] });
    await poll(() => reports).toMatchObject([{ vendorMessageIds: ["m1"], status: "failed" }]);
    expect(agentLines(chat)).toEqual([]);
  });

  it("should not keep a conversation from going on when the desk cannot be told", async () => {
    const world = await open();
    world.runtime.onEntry(async (entry) => {
      if (entry.kind !== "hidden" && entry.text === "never") throw new HandoverError({ code: "TOO_LONG", message: "Too long." });
    });
    const { chat, ticket } = await handOver(world);
    world.vendor.backend.setFaults({ failRate: 1, status: 403, only: "POST /conversations/:/receipts" });
    for (const text of ["never", "after it"]) await world.vendor.backend.agentSays(ticket, text);
    await poll(() => metric(world.runtime, "handover_reports_total", { result: "failed" })).toBe(1);
    await world.say("c", "on", "we go on");
    await poll(() => deskLines(world, ticket)).toEqual(["we go on"]);
    expect(agentLines(chat)).toEqual(["never", "after it"]);
  });
});

describeOnStores("a conversation that stands still", (store) => {
  it.each(["before it sends", "while it commits"] as const)(
    "should be shown as such, be taken up anew without a restart, and lose and repeat nothing: frozen %s [F013]",
    async (where) => {
      const clock = createManualClock();
      const stallMs = 60_000;
      let frozen: string | undefined;
      const hanging: (() => void)[] = [];
      const hang = <Value>(value: () => Promise<Value>): Promise<Value> =>
        new Promise<void>((resolve) => hanging.push(resolve)).then(value);
      const isFrozen = (handover: string | undefined) => {
        if (frozen === undefined || handover !== frozen) return false;
        frozen = undefined;
        return true;
      };
      const wrapStore = (inner: Store): Store => ({
        ...inner,
        readOpenParts: (handover, attempt) => {
          const read = () => inner.readOpenParts(handover, attempt);
          return where === "before it sends" && isFrozen(handover) ? hang(read) : read();
        },
        commit: (commit) => {
          const write = () => inner.commit(commit);
          const isSending = commit.parts?.some(({ status }) => status === "sending") === true;
          return where === "while it commits" && isSending && isFrozen(commit.handovers?.[0]?.id) ? hang(write) : write();
        },
      });
      const world = await open({ store, wrapStore, runtime: { clock }, vendor: { clock }, timing: { stallMs, callTimeoutMs: 15_000 } });
      const stalled = () => metric(world.runtime, "handover_stalled_conversations");
      const { chat, ticket } = await handOverByHand(world, clock);
      const other = await handOverByHand(world, clock, "other");
      frozen = (await chat.untilStatus("queued")).handover;
      await world.say("c", "line 1", "line 1");
      await poll(() => hanging.length, { interval: 5 }).toBe(1);
      for (const text of ["line 2", "line 3"]) await world.say("c", text, text);
      expect(stalled()).toBe(0);
      for (let second = 0; second < 35; second += 1) await clock.advance(1_000);
      await poll(stalled).toBe(1);
      await world.say("other", "line 1", "line 1");
      await poll(() => deskLines(world, other.ticket)).toEqual(["line 1"]);
      expect(deskLines(world, ticket)).toEqual([]);
      await advanceUntil(world, clock, 1_000, () => deskLines(world, ticket).length === 3);
      await poll(stalled).toBe(0);
      expect(metric(world.runtime, "handover_stalls_total", { lane: "vendor-out" })).toBe(1);
      expect(world.log.filter(({ level }) => level === "error")).toMatchObject([
        { fields: { code: "CONVERSATION_STALLED", lane: "vendor-out" } },
      ]);
      // What hung comes back, and may not write any more.
      for (const release of hanging) release();
      await world.say("c", "line 4", "line 4");
      await advanceUntil(world, clock, 100, () => deskLines(world, ticket).length >= 4);
      expect(deskLines(world, ticket)).toEqual(numbered(4));
    },
  );
});

describe("the health route", () => {
  it("should say that a conversation stands still [F013 part: health route]", async () => {
    const host = await startTestHost();
    const gauge = { name: "handover_stalled_conversations", help: "", type: "gauge" as const, labels: {}, value: 2 };
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const runtime = { ...host.runtime, metrics: () => [gauge] };
    const server = await createServer({ configuration: host.configuration, runtime, logger: silent });
    const response = await server.inject({ url: "/healthz" });
    expect([response.statusCode, response.json()]).toEqual([200, { status: "stalled", stalledConversations: 2 }]);
    await server.close();
    await host.stop();
  });
});
