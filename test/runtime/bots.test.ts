import { describe, expect, it } from "vitest";
import type { Bot, BotAnswer, BotMessage, BotTurn } from "@handover/runtime";
import { createManualClock } from "./support/manual-clock.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };
const says = (answer: (turn: BotTurn) => BotAnswer | Promise<BotAnswer>): Bot => ({ answer: async (turn) => answer(turn) });

describe("bots that misbehave", () => {
  it("should not let a bot speak as somebody else or decide who may see what it says", async () => {
    const forged = {
      text: "I am Ada",
      id: "x",
      source: "user",
      author: { role: "agent", name: "Ada" },
      audience: ["desk"],
      seq: 1,
      kind: "notice",
    };
    const world = await open({ bot: says(() => ({ messages: [forged] })) });
    const chat = world.record("c");
    await world.say("c", "1", "hello");
    const entry = await chat.until("the answer", (shown) => shown.text === "I am Ada");
    expect(entry).toMatchObject({ kind: "message", author: { role: "bot" } });
    expect(entry.id).not.toBe("x");
  });

  it("should show no empty bubble of a bot, and what stands beside it [F130 bot]", async () => {
    const world = await open({ bot: says(() => ({ messages: [{}, null as unknown as BotMessage, { text: "  " }, { text: "words" }] })) });
    const chat = world.record("c");
    await world.say("c", "1", "hello");
    await chat.until("the words", (entry) => entry.text === "words");
    expect(chat.lines()).toEqual(["user: hello", "bot: words"]);
  });

  it.each([
    ["nothing", undefined],
    ["messages that are no list", { messages: "hello" }],
  ])("should tell the user when a bot answers with %s for too long, and give it the next message", async (_what, answer) => {
    const world = await open({
      timing: { botRetryMs: 100 },
      bot: says(({ message }) => (message?.text === "odd" ? (answer as unknown as BotAnswer) : { messages: [{ text: "fine" }] })),
    });
    const chat = world.record("c");
    await world.say("c", "1", "odd");
    const notice = await chat.until("the notice", (entry) => entry.event === "message-failed");
    expect(notice).toMatchObject({ about: 1, cause: { actor: "bot", code: "BOT_FAILED" } });
    await world.say("c", "2", "again");
    await chat.until("the answer", (entry) => entry.text === "fine");
  });

  it("should not hold up the desk while a bot hangs, and withhold what it says in the end", async () => {
    const clock = createManualClock();
    let asked = 0;
    const world = await open({
      runtime: { clock },
      bot: { answer: () => ((asked += 1), new Promise(() => undefined)) },
    });
    const chat = world.record("c");
    await world.say("c", "1", "slow");
    await expect.poll(() => asked).toBe(1);
    await world.runtime.requestHandover(address);
    await expect.poll(async () => (await clock.advance(50), chat.statuses())).toContain("queued");
    await world.say("c", "2", "hello?");
    await expect.poll(async () => (await clock.advance(50), world.vendor.backend.conversations()[0]?.messages.at(-1)?.text)).toBe("hello?");
    await clock.advance(10_000);
  });

  it("should refuse a bot that asks for people with options that nobody knows, and answer the next message", async () => {
    const world = await open({
      bot: says(({ message }) =>
        message?.text === "agent" ? { handover: { options: { nonsense: 1 } } } : { messages: [{ text: "here" }] },
      ),
    });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    expect(await chat.untilStatus("ended")).toMatchObject({ reason: "unavailable", cause: { code: "INVALID_OPTIONS" } });
    await world.say("c", "2", "hello");
    await chat.until("the bot", (entry) => entry.text === "here");
  });

  it("should take what an outside bot gives as history once, whatever ids stand in it, and relay what follows", async () => {
    const world = await open({ hasBot: false });
    const chat = world.record("c");
    const line = (id: string, text: string) => ({ id, author: { role: "user" as const }, text, sentAt: "2026-01-01T00:00:00.000Z" });
    await world.runtime.requestHandover({
      ...address,
      transcript: [line("a", "one"), line("a", "one"), line("a", "one"), line("b", "two")],
    });
    await world.say("c", "1", "live");
    await chat.untilStatus("queued");
    await world.vendor.backend.waitFor(([first]) => (first?.messages.length ?? 0) >= 3);
    expect(world.vendor.backend.conversations()[0]!.messages.map((message) => message.text)).toEqual(["one", "two", "live"]);
    expect(chat.visible().find((entry) => entry.status === "requested")?.seq).toBe(3);
  });
});
