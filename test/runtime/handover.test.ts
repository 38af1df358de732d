import { describe, expect, it } from "vitest";
import { useWorld } from "./support/use-world.ts";
import type { World } from "./support/world.ts";

const open = useWorld();

const deskLines = (opened: World, index = 0) =>
  opened.vendor.backend.conversations()[index]?.messages.map((message) => `${message.author}: ${message.text}`) ?? [];

describe("a handover", () => {
  it("should take a conversation to an agent and back to the bot", async () => {
    const opened = await open();
    const { vendor, say, record } = opened;
    const chat = record("c1");
    await say("c1", "m1", "hello");
    await chat.until("the bot's answer", (entry) => entry.text === "echo hello");
    await say("c1", "m2", "agent please");
    await chat.untilStatus("queued");
    await say("c1", "m3", "are you there?");
    const [ticket] = await vendor.backend.waitFor(([first]) => first?.messages.length === 5);
    expect(deskLines(opened)).toEqual(["user: hello", "bot: echo hello", "user: agent please", "bot: one moment", "user: are you there?"]);

    await vendor.backend.agentAccepts(ticket!.id);
    await vendor.backend.agentSays(ticket!.id, "Hi, how can I help?");
    await chat.until("the agent's words", (entry) => entry.text === "Hi, how can I help?");
    await say("c1", "m4", "thanks");
    await vendor.backend.waitFor(([first]) => first?.messages.some((message) => message.text === "thanks") === true);
    await vendor.backend.agentCloses(ticket!.id);
    await chat.until("the bot's return", (entry) => entry.text === "back: completed");

    expect(chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
    expect(chat.lines()).toEqual([
      "user: hello",
      "bot: echo hello",
      "user: agent please",
      "bot: one moment",
      "user: are you there?",
      "agent: Hi, how can I help?",
      "user: thanks",
      "bot: back: completed",
    ]);
    expect(chat.entries.map((entry) => entry.seq)).toEqual(chat.entries.map((_, index) => index + 1));
    await say("c1", "m5", "still there?");
    await chat.until("the bot again", (entry) => entry.text === "echo still there?");
  });
});
