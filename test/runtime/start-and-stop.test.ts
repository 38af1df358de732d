import { afterEach, describe, expect, it } from "vitest";
import { createHandoverRuntime, type Bot, type HandoverRuntime, type Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { openWorld, type World } from "./support/world.ts";

let world: World | undefined;
const folders: string[] = [];

afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newStore(): Promise<{ path: string; store: Store }> {
  const folder = await mkdtemp(join(tmpdir(), "handover-stop-"));
  folders.push(folder);
  const path = join(folder, "handover.db");
  return { path, store: createSqliteStore({ path }) };
}

const canOpen = async (path: string) => {
  const store = createSqliteStore({ path });
  await store.open();
  await store.close();
};

describe("starting and stopping", () => {
  it("should stop although a push channel never answers, and give it the entry again after the restart", async () => {
    const { store, path } = await newStore();
    const desks = scriptDesks({ desk: {} });
    const clock = createManualClock();
    let isPushed: () => void = () => undefined;
    const pushed = new Promise<void>((resolve) => (isPushed = resolve));
    const runtime = await createHandoverRuntime({ ...desks.runtime, store, clock });
    runtime.onEntry(() => (isPushed(), new Promise(() => undefined)));
    await runtime.start();
    await runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id: "1", text: "hi" } });
    await pushed;
    const stopped = runtime.stop();
    await clock.advance(10_000);
    await stopped;
    const seen: string[] = [];
    const next: HandoverRuntime = await createHandoverRuntime({ ...desks.runtime, store: createSqliteStore({ path }) });
    next.onEntry(async (entry) => void seen.push(entry.kind === "hidden" ? "hidden" : (entry.text ?? "")));
    await next.start();
    await expect.poll(() => seen).toEqual(["hi", "echo hi"]);
    await next.stop();
  });

  it("should not give a message up because the stop cut off its call: whoever comes next finds out what became of it", async () => {
    const clock = createManualClock();
    let isSent: () => void = () => undefined;
    const sent = new Promise<void>((resolve) => (isSent = resolve));
    const desks = scriptDesks({
      desk: {
        sendMessage: () => (isSent(), new Promise(() => undefined)),
        findSentMessage: async () => ({ vendorMessageId: "m1" }),
      },
    });
    world = await openWorld({ runtime: { ...desks.runtime, clock }, timing: { callTimeoutMs: 15_000, messageRetryMs: 1_000 } });
    await world.say("c", "1", "agent");
    const before = world.record("c");
    await expect.poll(async () => (await clock.advance(50), before.statuses())).toContain("queued");
    await world.say("c", "2", "hello");
    await sent;
    const stopped = world.stopRuntime();
    await clock.advance(6_000);
    await stopped;
    await world.another();
    await expect.poll(async () => (await clock.advance(500), desks.count("desk.findSentMessage"))).toBe(1);
    await clock.advance(5_000);
    expect(
      world
        .record("c")
        .visible()
        .filter(({ event }) => event === "message-failed"),
    ).toEqual([]);
    expect(world.log.filter(({ message }) => message.includes("could not be delivered"))).toEqual([]);
  });

  it("should not give a bot's turn up because the stop cut it off: the bot is asked again after the restart", async () => {
    const clock = createManualClock();
    let isUp = false;
    let turns = 0;
    const bot: Bot = {
      answer: () => ((turns += 1), isUp ? Promise.resolve({ messages: [{ text: "here I am" }] }) : new Promise(() => undefined)),
    };
    world = await openWorld({ bot, runtime: { clock }, timing: { botTimeoutMs: 60_000, botRetryMs: 1 } });
    await world.say("c", "1", "hello");
    await expect.poll(async () => (await clock.advance(50), turns)).toBe(1);
    const stopped = world.stopRuntime();
    await clock.advance(6_000);
    await stopped;
    isUp = true;
    await world.another();
    const chat = world.record("c");
    await expect.poll(async () => (await clock.advance(500), chat.lines())).toContain("bot: here I am");
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });

  it("should close the store although a connection cannot be closed", async () => {
    const { store, path } = await newStore();
    const desks = scriptDesks({ desk: { close: () => Promise.reject(new Error("no")) } });
    const runtime = await createHandoverRuntime({ ...desks.runtime, store });
    await runtime.start();
    await runtime.stop();
    await canOpen(path);
  });

  it("should let go of the store when it cannot start", async () => {
    const { store, path } = await newStore();
    const desks = scriptDesks({ desk: {} });
    const [provider] = desks.runtime.providers;
    const broken = {
      ...provider!,
      connect: () => {
        throw new Error("no connection today");
      },
    };
    const runtime = await createHandoverRuntime({ ...desks.runtime, providers: [broken], store });
    await expect(runtime.start()).rejects.toThrow("no connection today");
    await canOpen(path);
  });

  it("should end readers quietly when the runtime stops", async () => {
    world = await openWorld();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const entry of world.runtime.follow({ endpoint: "web", conversation: "c" })) seen.push(entry.kind);
    })();
    await world.say("c", "1", "hi");
    await expect.poll(() => seen.length).toBe(2);
    await world.stopRuntime();
    await reading;
  });

  it("should not believe a time limit that ran out while it was down before it has asked the vendor [F149 after downtime, F007 timers]", async () => {
    const clock = createManualClock();
    world = await openWorld({ runtime: { clock }, handover: { acceptTimeoutMs: 60_000 }, vendor: { clock, eventNumbers: "sparse" } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    const [ticket] = world.vendor.backend.conversations();
    await world.stopRuntime();
    world.vendor.backend.setFaults({ dropWebhookRate: 1 });
    await world.vendor.backend.agentAccepts(ticket!.id);
    await world.vendor.backend.settle();
    world.vendor.backend.setFaults({});
    await clock.advance(300_000);
    await world.restart();
    const after = world.record("c");
    await expect.poll(async () => (await clock.advance(50), after.statuses().length)).toBe(3);
    expect(after.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should finish a message that is on its way into the log before it closes the store", async () => {
    const { store } = await newStore();
    const desks = scriptDesks({ desk: {} });
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const slow: Store = {
      ...store,
      findEntry: async (...given) => {
        await gate;
        return store.findEntry(...given);
      },
    };
    const runtime = await createHandoverRuntime({ ...desks.runtime, store: slow });
    await runtime.start();
    const message = runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id: "1", text: "hi" } });
    const stopped = runtime.stop();
    await new Promise((resolve) => setImmediate(resolve));
    letGo();
    await expect(message).resolves.toEqual({ seq: 1 });
    await stopped;
  });
});
