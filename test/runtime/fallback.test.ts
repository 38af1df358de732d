import { ConversationGoneError, HandoverError, ProviderApiError, UnavailableError, type Started } from "@handover/core";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks, ticketOf, type ScriptedDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";

const openWorld = useWorld();

const agent = { id: "a1", name: "Ada" };
const address = { endpoint: "web", conversation: "c" };

function open(desks: ScriptedDesks, options: WorldOptions = {}): Promise<World> {
  return openWorld({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
}

describe("giving way to the next desk", () => {
  it("should let a handover wait as long as it likes once it has been active [F057 transfer to a queue after the accept limit]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ day: {}, night: {} }, { handover: { connections: ["day", "night"], acceptTimeoutMs: 60_000 } });
    const opened = await open(desks, { runtime: { clock } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toEqual(["requested", "queued"]);
    await desks.deliver(opened.runtime, "day", { events: [{ type: "agent-joined", agent, hasAccepted: true }] });
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("active");
    await clock.advance(300_000);
    await desks.deliver(opened.runtime, "day", { events: [{ type: "transferred", queue: { name: "second level" } }] });
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toEqual(["requested", "queued", "active", "queued"]);
    await clock.advance(300_000);
    await opened.say("c", "2", "still there?");
    await expect.poll(async () => (await clock.advance(100), desks.count("day.send still there?"))).toBe(1);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued"]);
    expect(desks.count("night.start")).toBe(0);
  });

  it.each(["unavailable", "failed", "timed-out"] as const)(
    "should try the next desk when the first one took the ticket and then says %s",
    async (reason) => {
      const desks = scriptDesks({ day: {}, night: {} });
      const opened = await open(desks);
      const chat = opened.record("c");
      await opened.say("c", "1", "agent");
      await chat.untilStatus("queued");
      await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason, actor: "system" }] });
      await expect.poll(() => desks.count("night.start")).toBe(1);
      await desks.deliver(opened.runtime, "night", { events: [{ type: "agent-joined", agent, hasAccepted: true }] });
      await chat.untilStatus("active");
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
      expect(desks.started["night"]?.transcript.map(({ message }) => message.text)).toEqual(["agent", "one moment"]);
    },
  );

  it("should end, not fall back, when the user left the queue at the desk or an agent had been there", async () => {
    const desks = scriptDesks({ day: {}, night: {} });
    const opened = await open(desks);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(opened.runtime, "day", {
      events: [
        { type: "agent-joined", agent, hasAccepted: true },
        { type: "agent-left", agent },
      ],
    });
    await chat.untilStatus("queued", 2);
    await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason: "unavailable", actor: "system" }] });
    await chat.untilStatus("ended");
    expect(desks.count("night.start")).toBe(0);
  });

  it("should end although the old desk still speaks while the new one refuses", async () => {
    const busy = new HandoverError({ code: "BUSY", message: "Not now.", isRetryable: true });
    const desks = scriptDesks({ day: {}, night: { start: () => Promise.reject(busy) } });
    const opened = await open(desks);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason: "unavailable", actor: "system" }] });
    await expect.poll(() => desks.count("night.start")).toBeGreaterThan(0);
    await desks.deliver(opened.runtime, "day", { events: [{ type: "queue-updated", queue: { position: 1 } }] });
    await opened.runtime.endHandover(address);
    expect((await chat.untilStatus("ended")).reason).toBe("cancelled");
  });

  it("should not take what the old desk still says for a sign of the new one's ticket", async () => {
    const lost = new HandoverError({ code: "LOST", message: "No answer.", isRetryable: true, outcome: "unknown" });
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const desks = scriptDesks({ day: {}, night: { start: () => answered.then(() => Promise.reject(lost)) } });
    const opened = await open(desks);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason: "unavailable", actor: "system" }] });
    await expect.poll(() => desks.count("night.start")).toBe(1);
    await desks.deliver(opened.runtime, "day", { events: [{ type: "queue-updated", queue: { position: 1 } }] });
    answer();
    expect((await chat.untilStatus("ended")).cause).toMatchObject({ code: "START_IN_DOUBT" });
    expect(desks.count("night.start")).toBe(1);
  });

  it("should not end the new attempt because the old desk refuses a message that was on its way there", async () => {
    let refuse: (error: Error) => void = () => undefined;
    let isSending: () => void = () => undefined;
    const sending = new Promise<void>((resolve) => (isSending = resolve));
    const desks = scriptDesks({
      day: {
        sendMessage: () =>
          new Promise((_resolve, reject) => {
            refuse = reject;
            isSending();
          }),
      },
      night: {},
    });
    const opened = await open(desks);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await opened.say("c", "2", "first");
    await sending;
    await opened.say("c", "3", "second");
    await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason: "unavailable", actor: "system" }] });
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["what"] === "fallback")?.value).toBe(1);
    refuse(new ConversationGoneError({ message: "It is over." }));
    await expect
      .poll(() => desks.calls.filter((call) => call.startsWith("night")))
      .toEqual(["night.start", "night.send first", "night.send second"]);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should give the new desk every message although the old one refuses a later one for good", async () => {
    let refuse: (error: Error) => void = () => undefined;
    let isSending: () => void = () => undefined;
    const sending = new Promise<void>((resolve) => (isSending = resolve));
    const desks = scriptDesks({
      day: {
        sendMessage: (_handover, part) =>
          part.message.text === "first"
            ? Promise.resolve({})
            : new Promise((_resolve, reject) => {
                refuse = reject;
                isSending();
              }),
      },
      night: {},
    });
    const opened = await open(desks);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await opened.say("c", "2", "first");
    await opened.say("c", "3", "second");
    await sending;
    await desks.deliver(opened.runtime, "day", { events: [{ type: "ended", reason: "unavailable", actor: "system" }] });
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["what"] === "fallback")?.value).toBe(1);
    refuse(new HandoverError({ code: "REFUSED", message: "Not this one." }));
    await expect
      .poll(() => desks.calls.filter((call) => call.startsWith("night")))
      .toEqual(["night.start", "night.send first", "night.send second"]);
    expect(chat.visible().filter((entry) => entry.event === "message-failed")).toEqual([]);
  });

  it("should not let numbered deliveries of the old desk hold up those of the new one", async () => {
    const clock = createManualClock();
    const both = { accountKey: "one-account" };
    const desks = scriptDesks({ day: both, night: both }, { handover: { connections: ["day", "night"], acceptTimeoutMs: 60_000 } });
    const opened = await open(desks, { runtime: { clock } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("queued");
    const order = (position: number) => ({ id: `n${position}`, order: { group: "events", position, dense: true } });
    await expect.poll(async () => (await clock.advance(10_000), desks.count("night.start"))).toBe(1);
    await desks.deliver(opened.runtime, "night", { events: [{ type: "agent-joined", agent, hasAccepted: true }] }, order(1));
    await expect.poll(async () => (await clock.advance(100), chat.statuses())).toContain("active");
    await desks.deliver(opened.runtime, "day", { events: [{ type: "agent-left", agent }] }, { ...order(2), id: "old" });
    await desks.deliver(
      opened.runtime,
      "night",
      { events: [{ type: "desk-note", id: "x", author: { role: "agent" }, text: "secret" }] },
      order(2),
    );
    await desks.deliver(opened.runtime, "night", { events: [{ type: "ended", reason: "completed", actor: "agent" }] }, order(3));
    await expect.poll(async () => (await clock.advance(100), chat.statuses().at(-1))).toBe("ended/completed");
    expect(chat.visible().filter((entry) => entry.event === "agent-left")).toEqual([]);
  });

  it("should end the ticket that turns up after a start in doubt was given up", async () => {
    const clock = createManualClock();
    let answer: (found: Started) => void = () => undefined;
    const found = new Promise<Started>((resolve) => (answer = resolve));
    let questions = 0;
    const desks = scriptDesks(
      {
        day: {
          start: () => Promise.reject(new Error("reset")),
          findStarted: () => ((questions += 1) === 1 ? found : Promise.resolve("unknown")),
        },
      },
      { handover: { connections: ["day"], acceptTimeoutMs: 2_000 } },
    );
    const opened = await open(desks, { runtime: { clock }, timing: { callTimeoutMs: 60_000 } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(10), desks.count("day.findStarted"))).toBe(1);
    await expect.poll(async () => (await clock.advance(500), chat.statuses().at(-1))).toBe("ended/timed-out");
    answer({ references: [ticketOf(desks.started["day"]!)], state: {}, transcriptThrough: 0, relay: "both" });
    await expect.poll(async () => (await clock.advance(500), desks.count("day.end"))).toBe(1);
  });

  it("should go on asking a vendor that cannot be reached, for as long as a start is tried", async () => {
    const clock = createManualClock();
    let isUp = false;
    const desks = scriptDesks({
      day: {
        start: () => Promise.reject(new Error("reset")),
        findStarted: (request) => {
          if (!isUp) throw new ProviderApiError({ code: "VENDOR_DOWN", message: "Away.", isRetryable: true });
          return Promise.resolve({ references: [ticketOf(request)], state: {}, transcriptThrough: 0, relay: "both" });
        },
      },
    });
    const opened = await open(desks, { runtime: { clock }, timing: { callTimeoutMs: 1_000, startDoubtMs: 1_000, startTimeoutMs: 30_000 } });
    const chat = opened.record("c");
    const beganAtMs = clock.now();
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(1_000), clock.now() - beganAtMs), { timeout: 10_000 }).toBeGreaterThan(10_000);
    expect(desks.count("day.findStarted")).toBeGreaterThan(3);
    expect(chat.statuses()).toEqual(["requested"]);
    isUp = true;
    await expect.poll(async () => (await clock.advance(500), chat.statuses()), { timeout: 10_000 }).toEqual(["requested", "queued"]);
  });

  it("should end the ticket that the vendor shows while a start in doubt is cancelled", async () => {
    const clock = createManualClock();
    let tries = 0;
    const desks = scriptDesks({
      day: {
        async start(request, call) {
          tries += 1;
          await call.checkpoint({ references: [`source:${request.handoverId}`] });
          if (tries === 1) throw new Error("reset");
          if (!request.resume?.references.includes("number:7")) throw new UnavailableError({ message: "A second ticket." });
          return { references: request.resume.references, state: {}, transcriptThrough: 0, relay: "both" };
        },
      },
    });
    const opened = await open(desks, { runtime: { clock }, timing: { startDoubtMs: 20_000 } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(10), tries)).toBe(1);
    await expect.poll(() => opened.runtime.metrics().find((metric) => metric.labels["what"] === "start-in-doubt")?.value).toBe(1);
    await opened.runtime.endHandover(address);
    const references = ["number:7", `source:${desks.started["day"]!.handoverId}`];
    await desks.deliver(opened.runtime, "day", { events: [{ type: "queued" }] }, { references });
    await expect.poll(async () => (await clock.advance(500), desks.count("day.end"))).toBe(1);
    await expect.poll(async () => (await clock.advance(500), chat.statuses())).toEqual(["requested", "ended/cancelled"]);
  });

  it("should end the ticket that a vendor which cannot be asked shows after the start was given up [F043 surplus]", async () => {
    const clock = createManualClock();
    let tries = 0;
    const desks = scriptDesks({
      day: {
        async start(request, call) {
          tries += 1;
          await call.checkpoint({ references: [`source:${request.handoverId}`] });
          if (tries === 1) throw new Error("reset");
          if (!request.resume?.references.includes("number:7")) throw new UnavailableError({ message: "A second ticket." });
          return { references: request.resume.references, state: {}, transcriptThrough: 0, relay: "both" };
        },
      },
    });
    const opened = await open(desks, { runtime: { clock } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await expect.poll(async () => (await clock.advance(1_000), chat.statuses())).toEqual(["requested", "ended/failed"]);
    const references = ["number:7", `source:${desks.started["day"]!.handoverId}`];
    await desks.deliver(opened.runtime, "day", { events: [{ type: "queued" }] }, { references });
    await expect.poll(async () => (await clock.advance(1_000), desks.count("day.end"))).toBe(1);
    expect(chat.statuses()).toEqual(["requested", "ended/failed"]);
  });
});
