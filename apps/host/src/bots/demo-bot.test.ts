import { describe, expect, test } from "vitest";
import { createDemoBot } from "./demo-bot.ts";

const bot = createDemoBot();
const ask = (text: string) =>
  bot.answer(
    { id: "t", endpoint: "e", conversation: "c", message: { id: "1", author: { role: "user" }, text, sentAt: "2026-01-01T00:00:00Z" } },
    { signal: new AbortController().signal },
  );

describe("the demo bot", () => {
  test.each(["agent", "I want an AGENT now!", "a Representative, please", "help", "HELP?", "(human)", "get me a human."])(
    "should ask for a person and say nothing itself: %s",
    async (text) => expect(await ask(text)).toEqual({ handover: {} }),
  );

  test.each(["hello", "agents", "helpful", "superhuman", "reagent", "", "help_me"])("should answer with one message: %s", async (text) => {
    const answer = await ask(text);
    expect(answer.handover).toBeUndefined();
    expect(answer.messages).toEqual([{ text: expect.stringContaining("agent") as string }]);
  });

  test("should want no events", () => expect(bot.events).toEqual([]));
});
