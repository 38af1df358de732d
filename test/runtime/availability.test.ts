import { HandoverError, type Availability } from "@handover/core";
import type { EndpointOptions } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

type Answer = () => Promise<Availability>;
const available: Answer = async () => ({ status: "available", agents: 2 });
const unavailable: Answer = async () => ({ status: "unavailable", agents: 0 });
const unknown: Answer = async () => ({ status: "unknown" });
const silent: Answer = () => new Promise<never>(() => undefined);
const refuses: Answer = () =>
  Promise.reject(new HandoverError({ code: "DOWN", message: "Down.", effect: "connection", isRetryable: true }));

/** Desks that answer as a test says, or not at all (`none`: they have no such method). */
function askedDesks(answers: Readonly<Record<string, Answer | "none">>, endpoint: Partial<EndpointOptions> = {}) {
  const asked: string[] = [];
  const said = { ...answers };
  const script = (desk: string): DeskScript => ({
    checkAvailability:
      said[desk] === "none"
        ? undefined
        : () => {
            asked.push(desk);
            return (said[desk] as Answer)();
          },
  });
  const names = Object.keys(answers);
  const handover = { connections: names, ...endpoint.handover };
  const desks = scriptDesks(Object.fromEntries(names.map((desk) => [desk, script(desk)])), { ...endpoint, handover });
  return { desks, asked, said };
}

/** A vendor that does not answer would be waited for much longer than anybody has patience here. */
const timing = { availabilityTimeoutMs: 100, callTimeoutMs: 40_000, leaseMs: 120_000 };

describe("the availability of an endpoint", () => {
  it.each<[string, Readonly<Record<string, Answer | "none">>, Availability]>([
    ["somebody is there", { day: available }, { status: "available", agents: 2 }],
    ["nobody is there", { day: unavailable }, { status: "unavailable", agents: 0 }],
    ["the desk cannot tell", { day: unknown }, { status: "unknown" }],
    ["the desk has no such question", { day: "none" }, { status: "unknown" }],
    ["the desk does not answer in time", { day: silent }, { status: "unknown" }],
    ["the desk cannot be reached", { day: refuses }, { status: "unknown" }],
    ["the provider breaks", { day: () => Promise.reject(new TypeError("broken")) }, { status: "unknown" }],
    ["the provider answers nonsense", { day: async () => 3 as never }, { status: "unknown" }],
    ["the number makes no sense", { day: async () => ({ status: "available", agents: -1 }) }, { status: "available" }],
    ["the second has people", { day: unavailable, night: available }, { status: "available", agents: 2 }],
    ["the second has people, and the first cannot tell", { day: unknown, night: available }, { status: "available", agents: 2 }],
    ["none of both has", { day: unavailable, night: unavailable }, { status: "unavailable", agents: 0 }],
    ["one of both cannot tell", { day: unavailable, night: "none" }, { status: "unknown" }],
  ])("should be yes, no or unknown, within its time: %s [F147 part: the runtime]", async (_case, answers, expected) => {
    const { desks } = askedDesks(answers);
    const world = await open({ timing, runtime: desks.runtime });
    const before = performance.now();
    expect(await world.runtime.checkAvailability({ endpoint: "web" })).toEqual(expected);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    // What is asked beside the messages says nothing about them.
    expect(world.runtime.metrics().find(({ name }) => name === "handover_paused_accounts")?.value).toBe(0);
  });

  it("should be no where there are no people, and an error where there is no endpoint", async () => {
    const { desks } = askedDesks({ day: available });
    const [web] = desks.runtime.endpoints;
    const endpoints = [web!, { token: "alone" }, { ...web!, token: "letters", channel: "answers-only" as const }];
    const world = await open({ runtime: { ...desks.runtime, endpoints } });
    expect(await world.runtime.checkAvailability({ endpoint: "alone" })).toEqual({ status: "unavailable" });
    expect(await world.runtime.checkAvailability({ endpoint: "letters" })).toEqual({ status: "unavailable" });
    await expect(world.runtime.checkAvailability({ endpoint: "elsewhere" })).rejects.toMatchObject({ code: "ENDPOINT_NOT_FOUND" });
    const options = { colour: "blue" };
    await expect(world.runtime.checkAvailability({ endpoint: "web", options })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("should be asked once for all who ask at the same time, and anew when it is old: a no sooner than a yes", async () => {
    const clock = createManualClock();
    const { desks, asked, said } = askedDesks({ day: available });
    const world = await open({ runtime: { ...desks.runtime, clock } });
    const check = () => world.runtime.checkAvailability({ endpoint: "web" });
    /** How long an answer is good, to the second. */
    const lifetimeSeconds = async () => {
      const before = asked.length;
      for (let seconds = 0; ; seconds += 1) {
        await check();
        if (asked.length > before) return seconds;
        await clock.advance(1_000);
      }
    };
    await Promise.all(Array.from({ length: 20 }, check));
    expect(asked).toHaveLength(1);
    const yesSeconds = await lifetimeSeconds();
    said["day"] = unavailable;
    await lifetimeSeconds();
    const noSeconds = await lifetimeSeconds();
    said["day"] = unknown;
    await lifetimeSeconds();
    const unknownSeconds = await lifetimeSeconds();
    expect(unknownSeconds).toBeGreaterThan(1);
    expect(noSeconds).toBeGreaterThan(unknownSeconds);
    expect(yesSeconds).toBeGreaterThan(noSeconds);
    expect(yesSeconds).toBeLessThanOrEqual(30);
  });
});

describeOnStores("people who are asked for before a start", (store) => {
  it("should be told of at once when nobody is there, with its text, and the bot keeps the conversation [F148 part: ended as unavailable]", async () => {
    const { desks, asked } = askedDesks({ day: unavailable });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const ended = await chat.untilStatus("ended");
    expect(ended).toMatchObject({
      reason: "unavailable",
      text: "Nobody is available right now.",
      cause: { actor: "system", code: "NOBODY_AVAILABLE" },
    });
    await world.say("c", "2", "hello");
    await chat.until("the bot", ({ text }) => text === "echo hello");
    expect(chat.statuses()).toEqual(["requested", "ended/unavailable"]);
    expect(desks.calls).toEqual([]);
    expect(asked).toEqual(["day"]);
  });

  it("should be found as soon as they are there, also by somebody who was sent away a moment ago", async () => {
    const { desks, said } = askedDesks({ day: unavailable });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    expect(await world.runtime.checkAvailability({ endpoint: "web" })).toMatchObject({ status: "unavailable" });
    await world.say("c", "1", "agent");
    await chat.untilStatus("ended");
    said["day"] = available;
    await world.say("c", "2", "agent");
    await chat.untilStatus("queued");
    expect(desks.calls).toEqual(["day.start"]);
  });

  it("should be looked for at the next connection [F148 part: fallback provider]", async () => {
    const { desks } = askedDesks({ day: unavailable, evening: unavailable, night: available });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.say("c", "2", "hello");
    await expect.poll(() => desks.calls, { timeout: 15_000 }).toEqual(["night.start", "night.send hello"]);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    await world.runtime.endHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("ended");
    expect(desks.calls).toEqual(["night.start", "night.send hello", "night.end"]);
  });
});

describe("a start when nobody can tell", () => {
  const answers: [string, Answer | "none"][] = [
    ["unknown", unknown],
    ["unsupported", "none"],
    ["too slow", silent],
    ["out of reach", refuses],
  ];

  it.each(answers)("should go on: %s [F147 part: go on]", async (_case, answer) => {
    const { desks } = askedDesks({ day: answer });
    const world = await open({ timing, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    expect(desks.calls).toEqual(["day.start"]);
  });

  it.each(answers)("should be given up where the endpoint says so: %s [F147 part: stop]", async (_case, answer) => {
    const { desks } = askedDesks({ day: answer }, { handover: { connections: ["day"], availability: { whenUnknown: "stop" } } });
    const world = await open({ timing, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const ended = await chat.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "unavailable", cause: { code: "AVAILABILITY_UNKNOWN" } });
    expect(desks.calls).toEqual([]);
  });

  it("should not ask at all where the endpoint says so", async () => {
    const { desks, asked } = askedDesks(
      { day: unavailable },
      { handover: { connections: ["day"], availability: { checkBeforeStart: false, whenUnknown: "stop" } } },
    );
    const world = await open({ timing, runtime: desks.runtime });
    await world.say("c", "1", "agent");
    await world.record("c").untilStatus("queued");
    expect(asked).toEqual([]);
  });
});
