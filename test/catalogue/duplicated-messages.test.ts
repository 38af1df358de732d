import { describe, expect, it } from "vitest";
import { ProviderApiError, type HandoverEvent, type VendorDelivery } from "@handover/core";
import type { Bot, HandoverRuntime, Store } from "@handover/runtime";
import { describeOnPostgres, describeOnStores } from "../runtime/support/on-stores.ts";
import { scriptDesks, ticketOf } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import type { World } from "../runtime/support/world.ts";
import type { StoreName } from "../runtime/support/world-store.ts";
import { agentLines, deskLines, handOver, metric, numbered, poll, said } from "./support/talk.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
const agent = { id: "a1", name: "Ada" };

/** The instances that a store allows: two on PostgreSQL, one on SQLite twice. */
async function twoSides(world: World, store: StoreName): Promise<readonly [HandoverRuntime, HandoverRuntime]> {
  return [world.runtime, store === "postgres" ? await world.another() : world.runtime];
}

describeOnStores("a vendor event that comes more than once", (store) => {
  it("should be shown once, delivered five times and twice at the same moment on two instances, and let go when it could not be worked on [F017]", async () => {
    let failures = 0;
    const wrapStore = (inner: Store): Store => ({
      ...inner,
      receive: (deliveries) =>
        failures === 2 ? ((failures = 1), Promise.reject(new Error("The disk is full."))) : inner.receive(deliveries),
      commit(commit) {
        const isShown = failures === 1 && commit.append?.some(({ text }) => text === "once") === true;
        if (!isShown) return inner.commit(commit);
        failures = 0;
        return Promise.reject(new Error("The disk is full."));
      },
    });
    const world = await open({ store, wrapStore, vendor: { abilities: { catchUp: false, findChanged: false } } });
    const [left, right] = await twoSides(world, store);
    const { chat, ticket } = await handOver(world);
    const { backend } = world.vendor;
    await backend.settle();
    const [{ webhookUrl = "" } = {}] = left.connections();
    backend.setWebhookUrl(undefined);
    await backend.agentSays(ticket, "once");
    const body = Buffer.from(JSON.stringify({ events: backend.conversation(ticket).events.slice(-1) }));
    const deliver = async (side: HandoverRuntime) =>
      (await side.handleWebhook("desk", new Request(webhookUrl, { method: "POST", body, headers: backend.signWebhook(body) }))).status;
    // The first time it cannot be stored, the second time it is stored and cannot be worked on at first.
    failures = 2;
    expect(await deliver(left)).toBe(503);
    expect(await Promise.all([deliver(left), deliver(right)])).toEqual([200, 200]);
    for (const side of [right, left, right]) expect(await deliver(side)).toBe(200);
    await chat.until("the line", ({ text }) => text === "once");
    await backend.agentSays(ticket, "next");
    const next = Buffer.from(JSON.stringify({ events: backend.conversation(ticket).events.slice(-1) }));
    await right.handleWebhook("desk", new Request(webhookUrl, { method: "POST", body: next, headers: backend.signWebhook(next) }));
    await chat.until("the next line", ({ text }) => text === "next");
    expect(agentLines(chat)).toEqual(["once", "next"]);
    expect(failures).toBe(0);
    const repeated = (side: HandoverRuntime) => metric(side, "handover_deliveries_total", { result: "repeated" });
    expect(left === right ? repeated(left) : repeated(left) + repeated(right)).toBe(4);
  });

  it("should be another event at another account, and its message another one in another conversation [F017 part: key]", async () => {
    const desks = scriptDesks({ day: {}, night: {} });
    const endpoints = ["day", "night"].map((desk) => ({
      token: desk,
      bot: { answer: async () => ({}) },
      handover: { connections: [desk] },
    }));
    const world = await open({ store, runtime: { ...desks.runtime, endpoints } });
    const lines = async (endpoint: string, conversation: string, deliveryId: string) => {
      const where = { endpoint, conversation };
      await world.runtime.requestHandover(where);
      const texts: string[] = [];
      for await (const entry of world.runtime.follow(where)) {
        if (entry.kind === "hidden") continue;
        if (entry.status === "queued") {
          await desks.deliver(world.runtime, endpoint, { events: [said("m1", `to ${endpoint} ${conversation}`)] }, { id: deliveryId });
          await desks.deliver(world.runtime, endpoint, { events: [said("m2", "end")] }, { id: `${deliveryId}:end` });
        }
        if (entry.kind === "message") texts.push(entry.text ?? "");
        if (entry.text === "end") break;
      }
      return texts;
    };
    expect(await lines("day", "c", "same")).toEqual(["to day c", "end"]);
    expect(await lines("night", "c", "same")).toEqual(["to night c", "end"]);
    expect(await lines("day", "d", "another")).toEqual(["to day d", "end"]);
  });

  it("should change the state once, tell the bot once and show one text, whatever it says about the state [F027]", async () => {
    const events: string[] = [];
    const bot: Bot = {
      events: ["queued", "active", "ended"],
      async answer({ event }) {
        if (event) events.push(event.type);
        return event ? {} : { handover: {} };
      },
    };
    const desks = scriptDesks({ desk: {} }, { bot });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const states: readonly HandoverEvent[] = [
      { type: "queued", queue: { position: 2 } },
      { type: "queue-updated", queue: { position: 1 } },
      { type: "agent-joined", agent, hasAccepted: false },
      { type: "agent-joined", agent, hasAccepted: true },
      { type: "transferred", queue: { name: "second line" } },
      { type: "agent-joined", agent: { id: "a2", name: "Bob" }, hasAccepted: true },
      { type: "agent-left", agent: { id: "a2", name: "Bob" } },
      { type: "agent-joined", agent: { id: "a2", name: "Bob" }, hasAccepted: true },
      { type: "ended", reason: "completed", actor: "agent" },
    ];
    // Twice as two deliveries, and each of them on two subscriptions with ids of their own.
    for (const [index, event] of states.entries()) {
      for (const id of [`one:${index}`, `one:${index}`, `two:${index}`])
        await desks.deliver(world.runtime, "desk", { events: [event] }, { id });
    }
    await chat.untilStatus("ended");
    await poll(() => events.at(-1)).toBe("ended");
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued", "active", "queued", "active", "ended/completed"]);
    expect(events).toEqual(["queued", "active", "queued", "active", "queued", "active", "ended"]);
    const notices = chat.visible().flatMap(({ event, author }) => (event ? `${event} ${author?.name ?? ""}`.trim() : []));
    expect(notices).toEqual([
      "queue-updated",
      "queue-updated",
      "agent-joined Ada",
      "transferred",
      "agent-joined Bob",
      "agent-left Bob",
      "agent-joined Bob",
    ]);
    const texts = chat.visible().flatMap(({ kind, text }) => (kind === "handover" && text ? text : []));
    expect(texts).toEqual(["Connecting you to a colleague ...", "The conversation with our team is over."]);
  });
});

describeOnStores("texts and cursors", (store) => {
  it("should show a text as often as it was said, and a masked copy of a known message not at all [F025]", async () => {
    const desks = scriptDesks({ desk: {} });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    for (const id of ["m1", "m2", "m3"]) await desks.deliver(world.runtime, "desk", { events: [said(id, "ok")] }, { id: `message:${id}` });
    await desks.deliver(world.runtime, "desk", { events: [said("card", "my card is 4711 0815")] }, { id: "message:card" });
    for (const id of ["ok 1", "ok 2", "ok 3"]) await world.say("c", id, "ok");
    await desks.deliver(world.runtime, "desk", { events: [said("card", "my card is **** ****")] }, { id: "listing:card" });
    await desks.deliver(world.runtime, "desk", { events: [said("last", "that is all")] }, { id: "message:last" });
    await chat.until("the last line", ({ text }) => text === "that is all");
    expect(agentLines(chat)).toEqual(["ok", "ok", "ok", "my card is 4711 0815", "that is all"]);
    await poll(() => desks.count("desk.send ok")).toBe(3);
    expect(chat.entries.map(({ seq }) => seq)).toEqual(chat.entries.map((_, index) => index + 1));
  });

  it.each(["inclusive", "exclusive"])(
    "should repeat and skip nothing after a restart when the vendor's cursor is %s [F024 part: runtime]",
    async (kind) => {
      const listing: (VendorDelivery & { readonly number: number })[] = [];
      const cursors: unknown[] = [];
      let references: readonly string[] = [];
      const say = (text: string) => {
        const number = listing.length + 1;
        listing.push({ number, id: `message:${number}`, references, payload: { events: [said(`m${number}`, text)] } as never });
      };
      const desks = scriptDesks({
        desk: {
          receiveWebhook: undefined,
          async catchUp(_handover, cursor) {
            cursors.push(cursor);
            const after = typeof cursor === "number" ? cursor : 0;
            const page = listing.filter(({ number }) => (kind === "inclusive" ? number >= after : number > after)).slice(0, 2);
            const last = page.at(-1)?.number ?? after;
            return { deliveries: page, cursor: last, hasMore: last < listing.length, pollAfterMs: 20 };
          },
        },
      });
      const world = await open({ store, runtime: desks.runtime, timing: { leaseMs: 1_000, callTimeoutMs: 300, catchUpIntervalMs: 100 } });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus("queued");
      const { desk: request } = desks.started;
      if (!request) throw new Error("Nothing was started.");
      references = [ticketOf(request)];
      for (const text of numbered(3)) say(text);
      await chat.until("the third line", ({ text }) => text === "line 3");
      await poll(() => cursors.at(-1)).toBe(3);
      await world.kill();
      const askedBefore = cursors.length;
      await world.another();
      const after = world.record("c");
      await poll(() => cursors.length, { timeout: 5_000 }).toBeGreaterThan(askedBefore);
      expect(cursors[askedBefore]).toBe(3);
      for (const text of numbered(6).slice(3)) say(text);
      await after.until("the last line", ({ text }) => text === "line 6");
      expect(agentLines(after)).toEqual(numbered(6));
    },
  );
});

describeOnStores("answers that are lost", (store) => {
  it("should not make a second ticket, message or closing text, because the desk is asked first [F022]", async () => {
    // No echo comes by webhook or listing, so that it has to be looked up.
    const world = await open({ store, vendor: { webhooks: "none", abilities: { catchUp: false, findChanged: false } } });
    const { backend } = world.vendor;
    backend.setFaults({ loseAnswerRate: 0.5, seed: 3 });
    const { chat, ticket } = await handOver(world);
    for (const text of numbered(10)) await world.say("c", text, text);
    await poll(() => deskLines(world, ticket).length, { timeout: 10_000 }).toBe(10);
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await chat.until("the bot", ({ text }) => text === "back: cancelled");
    expect(deskLines(world, ticket)).toEqual(numbered(10));
    expect(backend.conversations()).toHaveLength(1);
    const sent = backend.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
    const keys = sent.map(({ body }) => (body as { external_id: string }).external_id);
    expect(keys).toHaveLength(10);
    expect(new Set(keys).size).toBe(10);
    expect(backend.calls.some(({ method, path }) => method === "GET" && path.includes("/messages?external_id="))).toBe(true);
    const texts = chat.visible().flatMap(({ kind, text }) => (kind === "handover" && text ? text : []));
    expect(texts).toEqual(["Connecting you to a colleague ...", "Your request was cancelled."]);
    expect(chat.entries.some((entry) => "isPossiblyDuplicated" in entry)).toBe(false);
  });

  it("should not send again what an echo has proved while the next message was looked for [F022 part: echo in between]", async () => {
    const echoed = Promise.withResolvers<undefined>();
    let isLookingUp = false;
    let key = "";
    const wrapStore = (inner: Store): Store => ({
      ...inner,
      async readOpenParts(handover, attempt) {
        if (isLookingUp) await echoed.promise;
        return inner.readOpenParts(handover, attempt);
      },
      async commit(commit) {
        const result = await inner.commit(commit);
        const statuses = commit.parts?.map(({ status }) => status) ?? [];
        if (statuses.includes("unclear")) isLookingUp = true;
        if (isLookingUp && statuses.includes("sent")) echoed.resolve(undefined);
        return result;
      },
    });
    const desks = scriptDesks({
      desk: {
        planMessage: (_handover, message) => ["first", "second"].map((data) => ({ message, data })),
        sendMessage: (_handover, { data }, call) => {
          sent.push(data as string);
          key = call.idempotencyKey;
          if (sent.length !== 2) return Promise.resolve({});
          return Promise.reject(new ProviderApiError({ message: "Cut off.", isRetryable: true, outcome: "unknown" }));
        },
      },
    });
    const sent: string[] = [];
    const world = await open({ store, wrapStore, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.say("c", "2", "in two parts");
    await poll(() => isLookingUp, { interval: 5 }).toBe(true);
    await desks.deliver(world.runtime, "desk", { events: [{ type: "message-echoed", idempotencyKey: key }] });
    await echoed.promise;
    isLookingUp = false;
    await world.say("c", "3", "the next one");
    await poll(() => sent.length).toBe(4);
    expect(sent).toEqual(["first", "second", "first", "second"]);
  });
});

describeOnPostgres("three instances", () => {
  it("should deliver each message of one stream once, and move the work within the lease time when the one that has it is killed [F021]", async () => {
    const leaseMs = 1_500;
    const pushed = new Map<string, number>();
    const world = await open({ store: "postgres", timing: { leaseMs, callTimeoutMs: 600, catchUpIntervalMs: 400 } });
    for (let count = 1; count < 3; count += 1) await world.another();
    for (const runtime of world.runtimes) {
      runtime.onEntry(async (entry) => {
        const line = entry.kind === "message" ? `${entry.author?.role ?? ""} ${entry.text ?? ""}` : "";
        pushed.set(line, (pushed.get(line) ?? 0) + 1);
      });
    }
    const { ticket } = await handOver(world);
    const say = async (text: string) => {
      await world.say("c", text, text);
      await world.vendor.backend.agentSays(ticket, text);
    };
    const chats = world.runtimes.map((runtime) => world.record("c", runtime));
    for (const text of numbered(15)) await say(text);
    for (const chat of chats) await chat.until("line 15", ({ text, author }) => text === "line 15" && author?.role === "agent");
    await poll(() => deskLines(world, ticket)).toEqual(numbered(15));
    await poll(() => [...pushed].filter(([line]) => line.startsWith("agent ")).length).toBe(15);
    expect([...pushed].filter(([line, times]) => line !== "" && times !== 1)).toEqual([]);

    const holders = world.runtimes.filter((runtime) => metric(runtime, "handover_workers") > 0);
    expect(holders).toHaveLength(1);
    await world.kill(holders[0]);
    const killedAtMs = performance.now();
    for (const text of numbered(30).slice(15)) await say(text);
    await poll(() => deskLines(world, ticket).length, { timeout: 10_000, interval: 10 }).toBeGreaterThan(15);
    expect(performance.now() - killedAtMs).toBeLessThan(leaseMs + 1_000);
    await poll(() => deskLines(world, ticket), { timeout: 10_000 }).toEqual(numbered(30));
    const after = world.record("c");
    await after.until("the last line", ({ text, author }) => text === "line 30" && author?.role === "agent");
    expect(agentLines(after)).toEqual(numbered(30));
    expect(world.vendor.backend.conversations()).toHaveLength(1);
  });
});

describeOnStores("first messages", (store) => {
  it("should make one conversation when many come at once on two instances, and the same id give the first one's number [F029]", async () => {
    const world = await open({ store, hasBot: false });
    const sides = await twoSides(world, store);
    const send = (index: number, text: string) =>
      sides[index % 2 === 0 ? 0 : 1].receiveMessage({ ...address, message: { id: `m${Math.floor(index / 2)}`, text } });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(index, `text ${index}`)));
    const seqs = answers.map(({ seq }) => seq);
    for (let index = 0; index < 20; index += 2) expect(seqs[index]).toBe(seqs[index + 1]);
    expect(new Set(seqs)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => index + 1)));
    const chats = sides.map((side) => world.record("c", side));
    for (const chat of chats) await poll(() => chat.entries.length).toBe(10);
    expect(chats[0]?.entries).toEqual(chats[1]?.entries);
    const first = chats[0]?.visible()[0];
    expect(await sides[1].receiveMessage({ ...address, message: { id: first?.id ?? "", text: "another text" } })).toEqual({ seq: 1 });
    expect(chats[0]?.visible()[0]?.text).toBe(first?.text);
  });
});

describe("a vendor that is the user's channel and the desk at once", () => {
  it("should be given each message once, and tell the acceptance and the end once [F020 part: one vendor on both sides of the runtime]", async () => {
    const device: string[] = [];
    const desk: string[] = [];
    const desks = scriptDesks({
      desk: {
        // What we write for the user comes back on the webhook of the same tenant.
        async sendMessage(_handover, part, call) {
          desk.push(`${part.message.author.role} ${part.message.text ?? ""}`);
          echo({ type: "message-echoed", idempotencyKey: call.idempotencyKey, vendorMessageId: `v${desk.length}` });
          return { vendorMessageId: `v${desk.length}` };
        },
      },
    });
    const world = await open({ runtime: desks.runtime });
    const echoes: Promise<void>[] = [];
    const echo = (event: HandoverEvent): void => {
      if (desks.started["desk"]) echoes.push(desks.deliver(world.runtime, "desk", { events: [event] }));
    };
    const chat = world.record("c");
    // The channel of the same vendor: what the user is shown is posted there, and reported by the same tenant as a bot's message.
    world.runtime.onEntry(async (entry) => {
      if (entry.kind === "hidden" || entry.author?.role === "user") return;
      const shown = entry.text ?? entry.status ?? entry.event ?? "";
      device.push(shown);
      echo({ type: "message-echoed", vendorMessageId: `device ${device.length}` });
    });
    const write = async (id: string, text: string) => {
      await world.say("c", id, text);
      // The tenant tells its own webhook of the user's line, too, and delivers it to the channel twice.
      await world.say("c", id, text);
      echo({ type: "message-echoed", vendorMessageId: `user ${id}` });
    };
    await write("1", "agent");
    await chat.untilStatus("queued");
    await write("2", "hello");
    await poll(() => desk).toContain("user hello");
    await desks.deliver(world.runtime, "desk", { events: [said("m1", "good day")] }, { id: "message:m1" });
    await chat.until("the agent", ({ text }) => text === "good day");
    for (const id of ["end", "end", "end of the dialog"]) {
      await desks.deliver(world.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] }, { id });
    }
    await chat.until("the bot", ({ text }) => text === "back: completed");
    await poll(() => device).toContain("back: completed");
    await Promise.all(echoes);
    expect(desk).toEqual(["user hello"]);
    expect(device).toEqual([
      "one moment",
      "requested",
      "Connecting you to a colleague ...",
      "active",
      "good day",
      "The conversation with our team is over.",
      "back: completed",
    ]);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
  });
});

describe("readers", () => {
  it("should be able to come and go twenty times without the desk being told [F028 part: readers that come and go]", async () => {
    const world = await open();
    const { chat, ticket } = await handOver(world);
    await world.vendor.backend.agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await world.vendor.backend.settle();
    const eventsBefore = world.vendor.backend.conversation(ticket).events.length;
    const callsBefore = world.vendor.backend.calls.filter(({ method }) => method !== "GET").length;
    for (let times = 0; times < 20; times += 1) {
      const reader = world.record("c");
      await reader.untilStatus("active");
      reader.stop();
    }
    await world.say("c", "still here", "still here");
    await poll(() => deskLines(world, ticket)).toEqual(["still here"]);
    const { signals, events } = world.vendor.backend.conversation(ticket);
    expect(signals.presence).toEqual([]);
    expect(events.length).toBe(eventsBefore + 1);
    expect(world.vendor.backend.calls.filter(({ method }) => method !== "GET").length).toBe(callsBefore + 1);
  });
});
