import type { HandoverError } from "@handover/core";
import type { Entry } from "../../runtime/src/index.ts";
import type { LiveAgentProfileName } from "@handover/simulators";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeContext, makeStartCall } from "../src/__fixtures__/calls.ts";
import { isSince } from "../src/live-agent-version.ts";
import { makeRequest, openDesk, type Desk } from "./desk.ts";
import { openRuntime } from "./open-runtime.ts";

const profiles = ["live-agent", "1.19", "2.16", "3.16", "4.2", "4.15"] as const satisfies readonly LiveAgentProfileName[];
/** Servers on which a message keeps a mark of ours. */
const marks = (profile: LiveAgentProfileName): boolean => profile !== "1.19" && profile !== "2.16";
const createCall = "POST /live-agent/api/v1/accounts/1/conversations";

let desk: Desk | undefined;
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await desk?.close();
  desk = undefined;
  for (const stop of stopping.splice(0).reverse()) await stop();
});

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

describe.each(profiles)("healing on %s", (profile) => {
  it("should find the conversation whose answer was lost, with everything that was still missing [F043: per version]", async () => {
    desk = await openDesk({ profile });
    const agent = desk.simulator.overview().agents[0]!;
    const options = { priority: "high" as const, labels: ["bot"], customAttributes: { plan: "gold" }, assigneeId: agent.id };
    // As many others as fill the pages of every list.
    for (let index = 0; index < 26; index += 1) await desk.startHandover({ conversation: `other ${index}` });
    desk.simulator.setFaults({ loseAnswerRate: 1, only: createCall.replace("/live-agent", ""), times: 1 });
    const request = makeRequest({ options });
    const call = makeStartCall();
    expect((await failureOf(desk.connection.start(request, call))).outcome).toBe("unknown");
    const before = desk.simulator.conversations().length;
    for (let index = 0; index < 26; index += 1) await desk.startHandover({ conversation: `later ${index}` });
    const found = await desk.connection.findStarted({ ...request, resume: call.resume() }, makeStartCall());
    const conversation = desk.simulator.conversations()[before - 1]!;
    expect(found).toMatchObject({ state: { conversationId: conversation.id } });
    expect(desk.simulator.conversations()).toHaveLength(53);
    expect(desk.simulator.conversation(conversation.id).agent).toBe(agent.name);
    expect(desk.simulator.conversation(conversation.id).details).toMatchObject({
      labels: ["bot"],
      priority: isSince(versionOf(profile), "2.17") === true ? "high" : null,
      customAttributes: isSince(versionOf(profile), "1.21") === true ? { plan: "gold" } : {},
    });
  });

  it("should find a message whose answer was lost by the mark that this version keeps, and else be unsure [F022: per version]", async () => {
    desk = await openDesk({ profile });
    const started = await desk.startHandover();
    const handover = desk.handover(started);
    const message = { id: "m", author: { role: "user" as const }, text: "did it arrive?", sentAt: new Date().toISOString() };
    const [part] = desk.connection.planMessage(handover, message);
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /messages", times: 1 });
    const firstAttemptAtMs = Date.now();
    const call = makeCall();
    expect((await failureOf(desk.connection.sendMessage(handover, part!, call))).outcome).toBe("unknown");
    const find = (idempotencyKey: string, text: string): Promise<unknown> => {
      const sent = { part: { message: { ...part!.message, text } }, idempotencyKey, firstAttemptAtMs };
      return desk!.connection.findSentMessage(handover, sent, makeCall());
    };
    const [shown] = desk.simulator.conversation(started.state.conversationId).messages.filter(({ text }) => text === "did it arrive?");
    expect(await find(call.idempotencyKey, "did it arrive?")).toEqual(marks(profile) ? { vendorMessageId: shown!.id } : "unknown");
    expect(await find("another-key", "never sent")).toBe("absent");
  });

  it("should read every message that was missed, once, and name what changed [F001: per version]", async () => {
    desk = await openDesk({ profile, messagesPerMinute: 1000 });
    const started = await desk.startHandover();
    const { conversationId } = started.state;
    const handover = desk.handover(started);
    const sinceMs = Date.now();
    for (let index = 0; index < 30; index += 1) desk.simulator.say(conversationId, { text: `line ${index}` });
    const { deliveries, cursor } = await desk.connection.catchUp(handover, undefined, makeCall());
    const texts = deliveries.flatMap(({ payload }) => {
      const { kind, text, sender } = payload as { kind: string; text?: string; sender?: { kind: string } };
      return kind === "message" && sender?.kind === "user" ? [text] : [];
    });
    expect(texts).toEqual(Array.from({ length: 30 }, (_, index) => `line ${index}`));
    desk.simulator.say(conversationId, { text: "one more" });
    const later = await desk.connection.catchUp(handover, cursor, makeCall());
    expect(JSON.stringify(later.deliveries)).toContain("one more");
    expect(await desk.connection.findChanged(sinceMs, makeCall())).toContain(`conversation:${conversationId}`);
  });

  it("should learn the version, and ask for it once", async () => {
    desk = await openDesk({ profile });
    const context = makeContext();
    const connection = desk.connect({}, context);
    await connection.prepare(makeCall());
    await connection.prepare(makeCall());
    expect(desk.calls("GET /live-agent/api").filter(({ path }) => path === "/live-agent/api")).toHaveLength(1);
    expect(context.cache.get("live-agent:version")).toBe(versionOf(profile));
    await connection.start(makeRequest(), makeStartCall());
    expect(desk.calls("/profile")).toHaveLength(1);
  });

  it("should say at the queue what this server knows, and count who is there", async () => {
    desk = await openDesk({ profile });
    const [first, second] = [await desk.startHandover(), await desk.startHandover({ conversation: "second" })];
    const handovers = [first, second].map((started, index) => ({ ...desk!.handover(started), id: `h${index + 1}` }));
    const statuses = await desk.connection.getQueueStatuses(handovers, makeCall());
    expect([...statuses].map(([id, { position }]) => [id, position])).toEqual([
      ["h1", 1],
      ["h2", 2],
    ]);
    expect(await desk.connection.checkAvailability({}, makeCall())).toEqual({ status: "available", agents: 2 });
    desk.simulator.setAgents({ online: 0 });
    expect(await desk.connection.checkAvailability({}, makeCall())).toEqual({ status: "unavailable", agents: 0 });
  });
});

describe("a server without marks", () => {
  it("should be sent a message again when nobody can tell, and the entry says so [F022: possibly duplicated]", async () => {
    const { runtime, simulator, close } = await openRuntime({ profile: "2.16" });
    stopping.push(close);
    const address = { endpoint: "chat", conversation: "1" };
    const write = (id: string, text: string): Promise<unknown> => runtime.receiveMessage({ ...address, message: { id, text } });
    const has = (text: string): Promise<unknown> =>
      simulator.waitFor((all) => all.some(({ messages }) => messages.some((message) => message.text === text)), { timeoutMs: 15_000 });
    await write("q", "a person, please");
    await runtime.requestHandover(address);
    await has("a person, please");
    simulator.setFaults({ loseAnswerRate: 1, only: "POST /messages", times: 1 });
    await write("once", "just once");
    await write("next", "the next one");
    await has("the next one");
    const texts = simulator.conversations()[0]!.messages.map(({ text }) => text);
    expect(texts.filter((text) => text === "just once")).toHaveLength(2);
    expect(texts.indexOf("the next one")).toBeGreaterThan(texts.lastIndexOf("just once"));
    const entries: Entry[] = [];
    for await (const entry of runtime.follow(address)) {
      entries.push(entry);
      if ("id" in entry && entry.id === "next") break;
    }
    expect(entries.filter((entry) => "isPossiblyDuplicated" in entry).map((entry) => ("id" in entry ? entry.id : ""))).toEqual(["once"]);
  });
});

describe("isSince", () => {
  it.each([
    ["4.15.1", "4.9", true],
    ["4.9.0", "4.9", true],
    ["4.2", "4.12", false],
    ["v3.16.0", "3.4", true],
    ["1.19.0", "1.21", false],
    ["4.12.1-cognigy", "4.12", true],
    [undefined, "4.9", "unknown"],
    ["develop", "4.9", "unknown"],
  ] as const)("should compare %s with %s: %s", (version, since, expected) => {
    expect(isSince(version, since)).toBe(expected);
  });
});

function versionOf(profile: LiveAgentProfileName): string {
  return profile === "live-agent" ? "4.12.1" : profile === "4.15" ? "4.15.1" : `${profile}.0`;
}
