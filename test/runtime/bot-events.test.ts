import type { HandoverEvent } from "@handover/core";
import type { Bot, BotAnswer, BotTurn } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };

/** A bot whose answers a test sets by what it is told. */
function scriptedBot(answers: Readonly<Record<string, BotAnswer>>, events?: Bot["events"]) {
  const turns: BotTurn[] = [];
  const bot: Bot = {
    ...(events ? { events } : {}),
    async answer(turn) {
      turns.push(turn);
      return answers[turn.message?.text ?? turn.event?.type ?? ""] ?? {};
    },
  };
  const heard = () => turns.map(({ message, event }) => message?.text ?? [event?.type, event?.reason].filter(Boolean).join(" "));
  return { bot, heard, turns };
}

describe("the events of a bot", () => {
  it.each([
    [undefined, ["agent", "ended completed", "hi"]],
    [[], ["agent", "hi"]],
    [
      ["queued", "active", "ended"],
      ["agent", "queued", "active", "ended completed", "hi"],
    ],
  ] as const)("should be those it wants; without any, the bot goes on when the user writes: %j", async (events, expected) => {
    const { bot, heard } = scriptedBot({ agent: { handover: {} } }, events);
    const world = await open({ bot });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const [ticket] = await world.vendor.backend.waitFor(([one]) => one?.messages.length === 1);
    await chat.untilStatus("queued");
    await world.vendor.backend.agentSays(ticket!.id, "hello");
    await chat.untilStatus("active");
    await world.vendor.backend.agentCloses(ticket!.id);
    await chat.untilStatus("ended");
    await world.say("c", "2", "hi");
    await expect.poll(heard, { timeout: 10_000 }).toEqual(expected);
  });
});

describeOnStores("what a bot says while people are there", (store) => {
  it("should go to user and agent, or to one of them", async () => {
    const { bot } = scriptedBot(
      {
        agent: { handover: {}, messages: [{ text: "before" }] },
        queued: {
          messages: [
            { text: "to both" },
            { text: "to both too", destination: "user-and-agent" },
            { text: "to the user", destination: "user-only" },
            { text: "to the agent", destination: "agent-only" },
          ],
        },
      },
      ["queued"],
    );
    const world = await open({ store, bot });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const texts = () => world.vendor.backend.conversations()[0]?.messages.map(({ text }) => text);
    await expect.poll(texts, { timeout: 10_000 }).toEqual(["agent", "before", "to both", "to both too", "to the agent"]);
    await chat.until("the last one", ({ text }) => text === "to the user");
    expect(chat.lines()).toEqual(["user: agent", "bot: before", "bot: to both", "bot: to both too", "bot: to the user"]);
    expect(chat.entries.filter(({ kind }) => kind === "hidden")).toHaveLength(1);
    // What was not for agents is in no transcript, what was for them stays hidden from the user.
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await world.runtime.requestHandover(address);
    await chat.untilStatus("queued", 2);
    expect(JSON.stringify(world.vendor.backend.conversations()[1])).not.toContain("to the user");
    expect(JSON.stringify(chat.entries)).not.toContain("to the agent");
  });

  it("should end the handover when it says so, at the desk too", async () => {
    const { bot, heard } = scriptedBot({ agent: { handover: {} }, active: { endHandover: true, messages: [{ text: "I take over" }] } }, [
      "active",
      "ended",
    ]);
    const world = await open({ store, bot });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const [ticket] = await world.vendor.backend.waitFor(([one]) => one?.messages.length === 1);
    await chat.untilStatus("queued");
    await world.vendor.backend.agentSays(ticket!.id, "hello");
    const end = await chat.untilStatus("ended");
    expect(end).toMatchObject({ reason: "completed", cause: { actor: "bot" } });
    await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", "active", "ended completed"]);
    expect(world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(world.vendor.backend.conversation(ticket!.id).messages.at(-1)?.text).toBe("I take over");
  });

  it.each(["bot", "API"] as const)(
    "should leave the desk's conversation open when asked to, and ignore what comes from it: no message, no event, one debug line [F076] (%s)",
    async (by) => {
      const { bot, heard } = scriptedBot(
        { agent: { handover: {} }, queued: by === "bot" ? { endHandover: true, closeHandoverInProvider: false } : {} },
        ["queued", "active", "ended"],
      );
      const desks = scriptDesks({ desk: {} }, { bot });
      const world = await open({ store, runtime: desks.runtime });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await chat.untilStatus("queued");
      if (by === "API") await world.runtime.endHandover({ ...address, closeHandoverInProvider: false });
      await chat.untilStatus("ended");
      await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", "queued", "ended cancelled"]);
      const before = chat.entries.length;
      const later: HandoverEvent[] = [
        {
          type: "message-received",
          message: {
            id: "m",
            author: { role: "agent", id: "a" },
            text: "still there?",
            sentAt: new Date(Date.now() + 1_000).toISOString(),
          },
        },
        { type: "survey-offered", survey: { id: "s", questions: [] } },
        { type: "ended", reason: "completed", actor: "agent" },
        { type: "reopened" },
      ];
      for (const event of later) await desks.deliver(world.runtime, "desk", { events: [event] });
      const translated = () => world.runtime.metrics().find(({ labels }) => labels["result"] === "translated")?.value;
      await expect.poll(translated, { timeout: 10_000 }).toBe(later.length);
      await world.say("c", "2", "hello bot");
      await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", "queued", "ended cancelled", "hello bot"]);
      await chat.until("the message", ({ text }) => text === "hello bot");
      expect(chat.entries.slice(before).map((entry) => entry.kind === "message" && entry.text)).toEqual(["hello bot"]);
      expect(desks.count("desk.end")).toBe(0);
      expect(world.log.filter(({ level, message }) => level !== "info" && message.includes("after the end"))).toMatchObject([
        { level: "debug" },
      ]);
      expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    },
  );
});
