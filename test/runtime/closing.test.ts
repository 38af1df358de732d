import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConversationGoneError, HandoverError, type MessagePart } from "@handover/core";
import { createHandoverRuntime } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { record } from "./support/recorder.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
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

async function openQueued(script: DeskScript, options: WorldOptions = {}) {
  const desks = scriptDesks({ desk: script });
  world = await openWorld({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
  const opened = world;
  const chat = opened.record("c");
  await opened.say("c", "1", "agent");
  await chat.untilStatus("queued");
  return { desks, opened, chat };
}

/** A send that waits until the test lets it fail or succeed. */
function heldSend() {
  let sends = 0;
  let isSending: () => void = () => undefined;
  const sending = new Promise<void>((resolve) => (isSending = resolve));
  let fail: (error: Error) => void = () => undefined;
  const sendMessage = (_handover: unknown, _part: MessagePart): Promise<{ vendorMessageId?: string }> => {
    sends += 1;
    if (sends > 1) return Promise.reject(new ConversationGoneError({ message: "It is over." }));
    isSending();
    return new Promise((_resolve, reject) => (fail = reject));
  };
  return { sending, sendMessage, fail: (error: Error) => fail(error), count: () => sends };
}

describe("closing", () => {
  it("should not go on sending to a desk that closes while the user leaves [F061 sends]", async () => {
    const held = heldSend();
    const { desks, opened, chat } = await openQueued({ sendMessage: held.sendMessage }, { timing: { reorderWindowMs: 300 } });
    await opened.say("c", "2", "one");
    await held.sending;
    await opened.say("c", "3", "two");
    await opened.runtime.endHandover(address);
    await desks.deliver(opened.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] });
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["result"] === "translated")?.value).toBe(1);
    held.fail(new ConversationGoneError({ message: "It is over." }));
    await chat.untilStatus("ended");
    expect(held.count()).toBe(1);
    expect(desks.count("desk.end")).toBe(0);
    expect(
      chat
        .visible()
        .filter((entry) => entry.event === "message-failed")
        .map((entry) => entry.about),
    ).toHaveLength(2);
  });

  it("should leave again what the desk opens again before its end was shown", async () => {
    const { desks, opened, chat } = await openQueued({}, { timing: { reorderWindowMs: 300 } });
    await desks.deliver(opened.runtime, "desk", {
      events: [
        { type: "agent-joined", agent, hasAccepted: true },
        { type: "ended", reason: "completed", actor: "agent" },
        { type: "reopened" },
      ],
    });
    await chat.untilStatus("ended");
    await expect.poll(() => desks.count("desk.end")).toBe(1);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
  });

  it.each(["queued", "active", "active, with something left to fetch"])(
    "should give up a desk that was taken out of the configuration under a handover that is %s [F170 connection removed]",
    async (status) => {
      const folder = await mkdtemp(join(tmpdir(), "handover-removed-"));
      folders.push(folder);
      const path = join(folder, "handover.db");
      const isNudged = status.endsWith("fetch");
      const cannotSay = () => Promise.reject(new HandoverError({ code: "NOT_NOW", message: "Not now.", isRetryable: true }));
      const desks = scriptDesks({ day: isNudged ? { catchUp: cannotSay } : {}, night: {} });
      const options = { ...desks.runtime, timing: { pollMs: 50, reorderWindowMs: 20 } };
      const before = await createHandoverRuntime({ ...options, store: createSqliteStore({ path }) });
      await before.start();
      const chat = record(before, address);
      await before.receiveMessage({ ...address, message: { id: "1", text: "agent" } });
      await chat.untilStatus("queued");
      if (status !== "queued") {
        await desks.deliver(before, "day", {
          events: [{ type: "agent-joined", agent, hasAccepted: true }],
          ...(isNudged ? { pull: true } : {}),
        });
        await chat.untilStatus("active");
        if (isNudged) await expect.poll(() => desks.count("day.catchUp")).toBeGreaterThan(0);
      }
      await before.stop();
      const { night } = desks.runtime.connections;
      const [endpoint] = desks.runtime.endpoints;
      const after = await createHandoverRuntime({
        ...options,
        connections: { night: night! },
        endpoints: [{ ...endpoint!, handover: { connections: ["night"] } }],
        store: createSqliteStore({ path }),
      });
      await after.start();
      const later = record(after, address);
      if (status !== "queued") {
        const end = await later.untilStatus("ended");
        expect(end).toMatchObject({ reason: "failed", cause: { code: "CONNECTION_NOT_FOUND" } });
        await later.until("the bot", (entry) => entry.text === "back: failed");
      } else {
        await expect.poll(() => desks.count("night.start")).toBe(1);
        expect(later.statuses()).toEqual(["requested", "queued"]);
      }
      later.stop();
      await after.stop();
    },
  );

  it("should ask nothing of a desk whose conversation is over more than three times [F061 listing]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: { catchUp: () => Promise.reject(new ConversationGoneError({ message: "It is over." })) } });
    world = await openWorld({ runtime: { ...desks.runtime, clock } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(5_000), chat.statuses().at(-1))).toBe("ended/completed");
    expect(desks.calls.filter((call) => call === "desk.catchUp" || call === "desk.end").length).toBeLessThanOrEqual(3);
  });

  it("should end at the desk once, and stay ended, when user, bot and agent end it in the same moment [F062 one outcome]", async () => {
    const { desks, opened, chat } = await openQueued({});
    await Promise.allSettled([
      opened.runtime.endHandover(address),
      desks.deliver(opened.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] }),
      opened.runtime.endHandover({ ...address, reason: "abandoned", actor: "system" }),
      desks.deliver(opened.runtime, "desk", { events: [{ type: "agent-joined", agent, hasAccepted: true }] }),
      opened.runtime.endHandover(address),
    ]);
    await chat.untilStatus("ended");
    await chat.until("the bot", (entry) => entry.text?.startsWith("back:") === true);
    expect(chat.statuses().filter((status) => status.startsWith("ended"))).toHaveLength(1);
    expect(desks.count("desk.end")).toBeLessThanOrEqual(1);
  });

  it("should count the failures of calls that were under way together as one", async () => {
    const clock = createManualClock();
    const fails: ((error: Error) => void)[] = [];
    const desks = scriptDesks({
      desk: {
        start: (request) =>
          fails.length < 5
            ? new Promise((_resolve, reject) => void fails.push(reject))
            : Promise.resolve({ references: [`t:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" }),
      },
    });
    world = await openWorld({ runtime: { ...desks.runtime, clock }, timing: { retryFirstMs: 100, retryMaximumMs: 20_000 } });
    const names = ["a", "b", "d", "e", "f"];
    const chats = names.map((name) => world!.record(name));
    for (const name of names) await world.runtime.requestHandover({ endpoint: "web", conversation: name });
    await expect.poll(() => fails.length).toBe(5);
    for (const fail of fails) fail(new HandoverError({ code: "DOWN", message: "Down.", effect: "connection", isRetryable: true }));
    for (let step = 0; step < 6; step += 1) {
      for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(100);
    }
    await expect.poll(() => chats.every((chat) => chat.statuses().includes("queued"))).toBe(true);
  });
});
