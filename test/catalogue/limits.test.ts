import { liveAgentProvider } from "@handover/live-agent";
import type { LiveAgentSimulatorOptions } from "@handover/simulators";
import { startSimulators } from "../support/checked-simulators.ts";
import { createTestVendor } from "@handover/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { createManualClock, type ManualClock } from "../runtime/support/manual-clock.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { defaultTiming } from "../../packages/runtime/src/defaults.ts";

const open = useWorld();

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);
const bot = { answer: async () => ({}) };

/** Lets time pass in steps until something is so. */
async function passUntil(clock: ManualClock, what: () => boolean, stepMs = 250): Promise<void> {
  const isSo = async () => {
    await clock.advance(stepMs);
    return what();
  };
  await expect.poll(isSo, { interval: 2, timeout: 12_000 }).toBe(true);
}

/** Lets a time pass in small steps, with a moment for what is on the wire in each. */
async function pass(clock: ManualClock, timeMs: number, stepMs = 250): Promise<void> {
  for (let passedMs = 0; passedMs < timeMs; passedMs += stepMs) {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(stepMs);
  }
}

describe("the rate limits of a contact centre", () => {
  /** The runtime with the provider of Live Agent, a simulated Live Agent, and one clock for all, with the times of production. */
  async function openLiveAgent(options: LiveAgentSimulatorOptions, conversations: readonly string[]) {
    const clock = createManualClock();
    const simulators = await startSimulators({ liveAgent: options, clock });
    onTestFinished(() => simulators.close());
    const desk = simulators.liveAgent;
    const { baseUrl, accountId, inboxId, apiKey } = desk;
    const world = await open({
      bot,
      timing: defaultTiming,
      runtime: {
        clock,
        providers: [liveAgentProvider],
        connections: { desk: { provider: "live-agent", settings: { baseUrl, accountId, inboxId, apiKey } } },
      },
    });
    const [connection] = world.runtime.connections();
    desk.setWebhookUrl(connection!.webhookUrl ?? null);
    const chats = conversations.map((name) => ({ name, chat: world.record(name) }));
    for (const { name, chat } of chats) {
      await world.runtime.requestHandover({ endpoint: "web", conversation: name });
      await passUntil(clock, () => chat.statuses().includes("queued"));
    }
    const sent = (name: string) =>
      desk
        .conversations()
        .flatMap(({ messages }) => messages)
        .filter(({ author, text }) => author === "user" && text.startsWith(name))
        .map(({ text }) => text);
    const failed = () => chats.flatMap(({ chat }) => chat.visible()).filter(({ event }) => event === "message-failed");
    return { clock, desk, world, chats, sent, failed };
  }

  it("should slow all conversations of an account down when it answers 429 without saying for how long, and lose nothing [F101 part: 429 without Retry-After, live agent]", async () => {
    const names = ["first", "second", "third"];
    const { clock, desk, world, sent, failed, chats } = await openLiveAgent({}, names);
    desk.setFaults({ failRate: 1, status: 429 });
    const before = desk.requests().length;
    for (const name of names) for (const text of numbered(name, 5)) await world.say(name, text, text);
    await pass(clock, 60_000);
    const calls = desk.requests().length - before;
    // Doubling from 100 ms to 30 s, for all three together.
    expect(calls).toBeGreaterThan(3);
    expect(calls).toBeLessThan(20);
    desk.setFaults({});
    await passUntil(clock, () => names.every((name) => sent(name).length === 5));
    for (const name of names) expect(sent(name)).toEqual(numbered(name, 5));
    expect(failed()).toEqual([]);
    expect(chats.map(({ chat }) => chat.statuses())).toEqual(names.map(() => ["requested", "queued"]));
  });

  it("should wait in a conversation that is flooded until the desk takes more, in order, while others go on, and lose nothing [F101 part: 422 flood, live agent]", async () => {
    const { clock, desk, world, sent, failed } = await openLiveAgent({ messagesPerMinute: 6 }, ["busy", "calm"]);
    const before = desk.requests().length;
    for (const text of numbered("busy", 18)) await world.say("busy", text, text);
    await passUntil(clock, () => sent("busy").length === 6);
    await world.say("calm", "1", "calm 1");
    await passUntil(clock, () => sent("calm").length === 1);
    expect(sent("busy")).toHaveLength(6);
    await passUntil(clock, () => sent("busy").length === 18, 1_000);
    expect(sent("busy")).toEqual(numbered("busy", 18));
    expect(failed()).toEqual([]);
    const posts = desk
      .requests()
      .slice(before)
      .filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
    expect(posts.length).toBeLessThan(19 + 40);
  });

  it("should not call an account before the time it asked for has passed, while another account goes on [F101 part: 429 with Retry-After]", async () => {
    const clock = createManualClock();
    const other = await createTestVendor({ clock });
    const world = await open({
      bot,
      timing: defaultTiming,
      vendor: { clock },
      others: { other },
      runtime: {
        clock,
        endpoints: [
          { token: "web", bot, handover: { connections: ["desk"] } },
          { token: "app", bot, handover: { connections: ["other"] } },
        ],
      },
    });
    const { backend } = world.vendor;
    const names = ["first", "second"];
    for (const endpoint of ["web", "app"]) {
      for (const conversation of names) await world.runtime.requestHandover({ endpoint, conversation });
    }
    const deskOf = { web: backend, app: other.backend };
    await passUntil(clock, () => Object.values(deskOf).every((desk) => desk.conversations().length === 2));
    await pass(clock, 1_000);
    backend.setFaults({ failRate: 1, status: 429, retryAfterSeconds: 45, only: "POST /conversations/:/messages", times: 1 });
    const say = (endpoint: "web" | "app", conversation: string, text: string) =>
      world.runtime.receiveMessage({ endpoint, conversation, message: { id: text, text } });
    const posts = () => backend.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages")).length;
    await say("web", "first", "first 1");
    await passUntil(clock, () => posts() === 1);
    const refusedAtMs = clock.now();
    for (const name of names) for (const text of numbered(name, 4)) await say("web", name, text);
    for (const name of names) for (const text of numbered(name, 4)) await say("app", name, text);
    await pass(clock, 40_000);
    expect(posts()).toBe(1);
    const sent = (endpoint: "web" | "app", name: string) =>
      deskOf[endpoint]
        .conversations()
        .flatMap(({ messages }) => messages.map(({ text }) => text))
        .filter((text) => text.startsWith(name));
    for (const name of names) expect(sent("app", name)).toEqual(numbered(name, 4));
    await passUntil(clock, () => names.every((name) => sent("web", name).length === 4));
    expect(clock.now() - refusedAtMs).toBeGreaterThan(44_000);
    for (const name of names) expect(sent("web", name)).toEqual(numbered(name, 4));
  });

  it("should stop at an answer that says never, show it as an error, and go on with the next message [F101 part: 451]", async () => {
    const clock = createManualClock();
    const world = await open({ bot, timing: defaultTiming, vendor: { clock }, runtime: { clock } });
    const { backend } = world.vendor;
    const chat = world.record("c");
    await world.runtime.requestHandover({ endpoint: "web", conversation: "c" });
    await passUntil(clock, () => chat.statuses().includes("queued"));
    backend.setFaults({ failRate: 1, status: 451, only: "POST /conversations/:/messages", times: 1 });
    const refused = await world.say("c", "1", "not allowed");
    await world.say("c", "2", "allowed");
    const messages = () => backend.conversations()[0]!.messages.map(({ text }) => text);
    await passUntil(clock, () => messages().includes("allowed"));
    await pass(clock, 60_000, 1_000);
    expect(messages()).toEqual(["allowed"]);
    const bodies = backend.calls
      .filter(({ method, path }) => method === "POST" && path.endsWith("/messages"))
      .map(({ body }) => JSON.stringify(body));
    expect(bodies.filter((body) => body.includes("not allowed"))).toHaveLength(1);
    const notices = chat.visible().filter(({ event }) => event === "message-failed");
    expect(notices).toMatchObject([{ about: refused.seq, cause: { code: "VENDOR_REFUSED_CALL" } }]);
    expect(world.log.filter(({ level }) => level === "error")).toMatchObject([
      { fields: { code: "VENDOR_REFUSED_CALL", seq: refused.seq } },
    ]);
  });
});
