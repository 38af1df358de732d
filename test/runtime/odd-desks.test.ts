import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HandoverError, type HandoverEvent } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { createFaultyStore } from "./support/faulty-store.ts";
import { createManualClock } from "./support/manual-clock.ts";
import type { Recorder } from "./support/recorder.ts";
import { scriptDesks, type DeskScript, type ScriptedDesks } from "./support/scripted-desks.ts";
import { openWorld, type World, type WorldOptions } from "./support/world.ts";

let world: World | undefined;
const folders: string[] = [];

afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const address = { endpoint: "web", conversation: "c" };
const agent = { id: "a1", name: "Ada" };

async function open(desks: ScriptedDesks, options: WorldOptions = {}): Promise<World> {
  world = await openWorld({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
  return world;
}

async function openQueued(script: DeskScript, options: WorldOptions = {}) {
  const desks = scriptDesks({ desk: script });
  const opened = await open(desks, options);
  const chat = opened.record("c");
  await opened.say("c", "1", "agent");
  await chat.untilStatus("queued");
  return { desks, opened, chat };
}

async function faultyStore() {
  const folder = await mkdtemp(join(tmpdir(), "handover-faulty-"));
  folders.push(folder);
  return createFaultyStore(join(folder, "handover.db"));
}

const texts = (chat: Recorder) => chat.visible().map((entry) => entry.text ?? entry.event ?? entry.status);

describe("desks that do odd things", () => {
  it("should go on with the next message when the provider cannot prepare one, and still let the user leave [F160 outgoing]", async () => {
    const { desks, opened, chat } = await openQueued({
      planMessage(_handover, message) {
        if (message.text === "poison") throw new TypeError("cannot read properties of poison");
        return [{ message }];
      },
    });
    await opened.say("c", "2", "poison");
    await opened.say("c", "3", "fine");
    await expect.poll(() => desks.count("desk.send fine")).toBe(1);
    const notice = await chat.until("the notice", (entry) => entry.event === "message-failed");
    expect(chat.visible().find((entry) => entry.seq === notice.about)?.text).toBe("poison");
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended");
    expect(JSON.stringify(opened.log)).not.toContain("poison");
  });

  it.each([
    ["events that are no list", { events: 7 as unknown as [] }],
    ["an event without its parts", { events: [{ type: "message-received" } as unknown as HandoverEvent] }],
    [
      "a time that is none",
      { events: [{ type: "desk-note", id: "1", author: { role: "agent" }, text: "x", atMs: 1e20 }] as HandoverEvent[] },
    ],
  ])("should end one handover as failed when a translation has %s, and leave the others alone [F160 incoming]", async (_what, said) => {
    const { desks, opened, chat } = await openQueued({});
    const other = opened.record("d");
    await desks.deliver(opened.runtime, "desk", said);
    const end = await chat.untilStatus("ended");
    expect(end).toMatchObject({ reason: "failed", cause: { code: "TRANSLATION_FAILED" } });
    await opened.say("d", "1", "agent");
    await other.untilStatus("queued");
    expect(opened.log.filter((line) => line.level === "error")).toHaveLength(1);
  });

  it("should let the user leave while the vendor cannot be asked about a nudge", async () => {
    const { desks, opened, chat } = await openQueued({
      catchUp: () => Promise.reject(new HandoverError({ code: "LISTING_BROKEN", message: "No list today." })),
    });
    await desks.deliver(opened.runtime, "desk", { pull: true });
    await desks.deliver(opened.runtime, "desk", { events: [{ type: "queued" }] });
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended");
    expect(desks.count("desk.end")).toBe(1);
  });

  it("should not ask without a pause when a vendor always has more or wants to be asked at once", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({
      stuck: { catchUp: async () => ({ deliveries: [], cursor: 1, hasMore: true }) },
      eager: { catchUp: async () => ({ deliveries: [], cursor: null, hasMore: false, pollAfterMs: 0 }) },
    });
    const opened = await open(desks, {
      runtime: {
        clock,
        endpoints: desks.runtime.endpoints.flatMap((endpoint) => [
          { ...endpoint, token: "web", handover: { connections: ["stuck"] } },
          { ...endpoint, token: "app", handover: { connections: ["eager"] } },
        ]),
      },
    });
    await opened.runtime.requestHandover(address);
    await opened.runtime.requestHandover({ endpoint: "app", conversation: "c" });
    await expect.poll(async () => (await clock.advance(100), desks.count("stuck.start") + desks.count("eager.start"))).toBe(2);
    await clock.advance(20_000);
    await expect.poll(() => desks.count("stuck.catchUp")).toBeGreaterThan(0);
    const before = { stuck: desks.count("stuck.catchUp"), eager: desks.count("eager.catchUp") };
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(desks.count("stuck.catchUp") - before.stuck).toBeLessThan(5);
    expect(desks.count("eager.catchUp") - before.eager).toBeLessThan(5);
  });

  it("should give a message up in time when the vendor answers 500 again and again, and send the next one [F164 unclear answers]", async () => {
    const clock = createManualClock();
    let sends = 0;
    const desks = scriptDesks({
      desk: {
        async sendMessage(_handover, part) {
          desks.calls.push(`desk.send ${part.message.text ?? ""}`);
          if (part.message.text !== "bad") return {};
          sends += 1;
          throw new HandoverError({ code: "HTTP_500", message: "It answered 500.", isRetryable: true, outcome: "unknown" });
        },
      },
    });
    const opened = await open(desks, { runtime: { clock }, timing: { callTimeoutMs: 15_000, messageRetryMs: 60_000 } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    await opened.say("c", "2", "bad");
    await opened.say("c", "3", "good");
    await expect.poll(async () => (await clock.advance(5_000), desks.count("desk.send good")), { timeout: 10_000 }).toBe(1);
    expect(sends).toBeLessThan(10);
    await expect.poll(() => chat.visible().filter((entry) => entry.event === "message-failed")).toHaveLength(1);
  });

  it("should not start again when our own store fails after the vendor has made the ticket [F060 store fails during the start]", async () => {
    const faulty = await faultyStore();
    const desks = scriptDesks({
      desk: {
        findStarted: async (request) => ({ references: [`found:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" }),
      },
    });
    const opened = await open(desks, { runtime: { store: faulty.store } });
    faulty.failWhen((commit) => commit.journal?.some((item) => item.what === "started") === true && faulty.refused < 2);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    expect(faulty.refused).toBe(2);
    expect(desks.count("desk.start")).toBe(1);
  });

  it("should not start again when the progress of a start cannot be saved", async () => {
    const faulty = await faultyStore();
    const desks = scriptDesks({
      desk: {
        async start(request, call) {
          await call.checkpoint({ references: [`ticket:${request.handoverId}`] });
          await call.checkpoint({ state: { made: true } });
          return { references: [`ticket:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" };
        },
        findStarted: async (request) => ({ references: [`ticket:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" }),
      },
    });
    const opened = await open(desks, { runtime: { store: faulty.store } });
    faulty.failWhen((commit) => commit.handovers?.some((handover) => handover.attempt.progress !== undefined) === true);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    expect(faulty.refused).toBe(1);
    expect(desks.count("desk.start")).toBe(1);
  });

  it("should not tell the user that a message failed when only our own store could not note that it was sent", async () => {
    const faulty = await faultyStore();
    const { desks, opened, chat } = await openQueued(
      { findSentMessage: async () => ({ vendorMessageId: "v1" }) },
      { runtime: { store: faulty.store } },
    );
    faulty.failWhen((commit) => commit.parts?.some((part) => part.status === "sent") === true && faulty.refused < 1);
    await opened.say("c", "2", "once");
    await opened.say("c", "3", "next");
    await expect.poll(() => desks.count("desk.send next")).toBe(1);
    expect(faulty.refused).toBe(1);
    expect(desks.count("desk.send once")).toBe(1);
    expect(texts(chat)).not.toContain("message-failed");
  });

  it("should start with a desk that can do nothing else, and end it", async () => {
    const nothing = { sendMessage: undefined, end: undefined, receiveWebhook: undefined, translate: undefined };
    const { opened, chat } = await openQueued(nothing);
    await opened.say("c", "2", "hello?");
    await chat.until("the notice", (entry) => entry.event === "message-failed");
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended");
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
  });

  it("should not call what the vendor carries itself undelivered, and never refuse it as too much", async () => {
    const { opened, chat } = await openQueued(
      { start: async (request) => ({ references: [`t:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "none" }) },
      { runtime: { limits: { waitingMessages: 3 } } },
    );
    for (let index = 0; index < 8; index += 1) await opened.say("c", `m${index}`, `to the vendor ${index}`);
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended");
    expect(texts(chat)).not.toContain("message-failed");
  });

  it("should show what was fetched because the vendor asked for it as on time, and what was found by itself as late", async () => {
    const message = (id: string) => ({
      type: "message-received" as const,
      message: { id, author: { role: "agent" as const, ...agent }, text: id, sentAt: "2026-01-01T00:00:00.000Z" },
    });
    let next = "pulled";
    const { desks, opened, chat } = await openQueued(
      {
        catchUp: async (handover) => ({
          deliveries: [{ id: next, references: handover.references, payload: { events: [message(next)] } }],
          cursor: next,
          hasMore: false,
        }),
      },
      { timing: { catchUpIntervalMs: 500 } },
    );
    await desks.deliver(opened.runtime, "desk", { pull: true });
    const pulled = await chat.until("the pulled line", (entry) => entry.text === "pulled");
    expect(pulled.isLate).toBeUndefined();
    next = "found";
    const found = await chat.until("the found line", (entry) => entry.text === "found");
    expect(found.isLate).toBe(true);
  });

  it("should not send again what an echo has proved while the vendor was being asked [F022 echo]", async () => {
    let key = "";
    let sentAtMs = 0;
    let isEchoed = false;
    const { desks, opened } = await openQueued(
      {
        async sendMessage(_handover, part, call) {
          desks.calls.push(`desk.send ${part.message.text ?? ""}`);
          if (part.message.text !== "once") return {};
          key = call.idempotencyKey;
          sentAtMs = performance.now();
          throw new Error("reset");
        },
        async findSentMessage() {
          if (isEchoed || performance.now() - sentAtMs < 185) return "unknown";
          isEchoed = true;
          await desks.deliver(opened.runtime, "desk", { events: [{ type: "message-echoed", idempotencyKey: key, vendorMessageId: "v1" }] });
          await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["result"] === "translated")?.value).toBe(1);
          return "unknown";
        },
      },
      { timing: { callTimeoutMs: 200 } },
    );
    await opened.say("c", "2", "once");
    await opened.say("c", "3", "next");
    await expect.poll(() => desks.count("desk.send next"), { timeout: 5_000 }).toBe(1);
    expect(isEchoed).toBe(true);
    expect(desks.count("desk.send once")).toBe(1);
  });
});
