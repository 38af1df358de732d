import type { Choice, HandoverEvent, Message, StartRequest } from "@handover/core";
import type { Bot, BotTurn } from "@handover/runtime";
import { expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };

const deskChoices: Choice[] = [
  { id: "yes", title: "Yes", payload: "YES_1", providerData: { item: 7 } },
  { id: "no", title: "No" },
];
const botChoices: Choice[] = [{ id: "blue", title: "Blue", payload: "COLOUR_BLUE" }];

const fromDesk = (id: string, content: Partial<Message>): HandoverEvent => ({
  type: "message-received",
  message: { id, author: { role: "agent", id: "a" }, sentAt: new Date().toISOString(), ...content },
});

describeOnStores("choices", (store) => {
  it("should go to desk and bot with what each goes by, be shown without what is the provider's, and harm nobody after the end", async () => {
    const sent: Message[] = [];
    const started: StartRequest[] = [];
    const desks = scriptDesks({
      desk: {
        start: async (request) => {
          started.push(request);
          return {
            references: [`ticket:${request.handoverId}:${request.attempt}`],
            state: {},
            transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
            relay: "both",
          };
        },
        sendMessage: async (_handover, { message }) => (sent.push(message), {}),
      },
    });
    const turns: BotTurn[] = [];
    const bot: Bot = {
      events: [],
      async answer(turn) {
        turns.push(turn);
        const text = turn.message?.text;
        return text === "agent" ? { handover: {} } : { messages: [{ text: `heard ${text ?? ""}`, choices: botChoices }] };
      },
    };
    const world = await open({
      store,
      runtime: { ...desks.runtime, endpoints: [{ token: "web", bot, handover: { connections: ["desk"] } }] },
    });
    const chat = world.record("c");
    const press = (id: string, seq: number, choice: string, text?: string) =>
      world.runtime.receiveMessage({ ...address, message: { id, answer: { seq, choice }, ...(text === undefined ? {} : { text }) } });
    const entry = (text: string) => chat.until(text, (one) => one.text === text);

    // The bot's choice goes back to the bot by its payload.
    await world.say("c", "1", "hello");
    const offered = await entry("heard hello");
    expect(offered.choices).toEqual(botChoices);
    await press("2", offered.seq, "blue");
    await entry("heard Blue");
    expect(turns[1]!.message).toMatchObject({ text: "Blue", answer: { messageId: offered.id, choice: "blue", payload: "COLOUR_BLUE" } });

    // The desk's choices, of the message and of its cards, go back to the desk with its provider's data.
    await world.say("c", "3", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", {
      events: [
        fromDesk("m1", { text: "Shall we?", choices: deskChoices }),
        fromDesk("m2", {
          text: "Or this?",
          cards: [{ title: "Card", choices: [{ id: "buy", title: "Buy", providerData: { sku: "x" } }] }],
        }),
      ],
    });
    const question = await entry("Shall we?");
    const card = await entry("Or this?");
    expect(question.choices).toEqual([
      { id: "yes", title: "Yes", payload: "YES_1" },
      { id: "no", title: "No" },
    ]);
    expect(card.cards).toEqual([{ title: "Card", choices: [{ id: "buy", title: "Buy" }] }]);
    expect(JSON.stringify(chat.entries)).not.toContain("providerData");
    await press("4", question.seq, "yes");
    await press("5", card.seq, "buy", "I take it");
    await expect.poll(() => sent.length, { timeout: 10_000 }).toBe(2);
    expect(sent).toMatchObject([
      { text: "Yes", answer: { messageId: "m1", choice: "yes", payload: "YES_1", providerData: { item: 7 } } },
      { text: "I take it", answer: { messageId: "m2", choice: "buy", providerData: { sku: "x" } } },
    ]);

    // After the end a press is words for the bot: nothing of the provider's reaches it, or the next handover.
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await press("6", question.seq, "no");
    await entry("heard No");
    await press("7", question.seq, "yes");
    await entry("heard Yes");
    expect(turns.at(-1)!.message).toMatchObject({ text: "Yes", answer: { messageId: "m1", choice: "yes", payload: "YES_1" } });
    expect(JSON.stringify(turns)).not.toContain("providerData");
    await world.say("c", "8", "agent");
    await chat.untilStatus("queued", 2);
    await press("9", question.seq, "yes");
    await press("10", offered.seq, "blue");
    await expect.poll(() => sent.length, { timeout: 10_000 }).toBe(4);
    expect(sent[2]).toMatchObject({ text: "Yes" });
    expect(sent[2]).not.toHaveProperty("answer");
    expect(sent[3]).toMatchObject({ text: "Blue", answer: { messageId: offered.id, choice: "blue", payload: "COLOUR_BLUE" } });
    expect(started[1]!.transcript.map(({ message }) => message.text)).toEqual(["No", "heard No", "Yes", "heard Yes", "agent"]);
    expect(JSON.stringify(started[1]!.transcript)).not.toContain("providerData");
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed", "requested", "queued"]);
    for (const [seq, choice] of [
      [question.seq, "maybe"],
      [1, "yes"],
      [999, "yes"],
    ] as const) {
      await expect(press(`x${seq}${choice}`, seq, choice)).rejects.toMatchObject({ code: "INVALID_MESSAGE" });
    }
  });

  it("should not be found on what the user cannot see", async () => {
    const bot: Bot = {
      events: ["queued"],
      answer: async ({ event }) =>
        event ? { messages: [{ text: "for the agent", choices: botChoices, destination: "agent-only" }] } : { handover: {} },
    };
    const world = await open({ store, bot });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await world.vendor.backend.waitFor(([one]) => one?.messages.some(({ text }) => text.includes("for the agent")) ?? false);
    const hidden = chat.entries.find(({ kind }) => kind === "hidden");
    expect(hidden).toBeDefined();
    const answer = { seq: hidden!.seq, choice: "blue" };
    await expect(world.runtime.receiveMessage({ ...address, message: { id: "2", answer } })).rejects.toMatchObject({
      code: "INVALID_MESSAGE",
    });
  });
});
