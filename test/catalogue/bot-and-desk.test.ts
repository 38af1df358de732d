import { afterEach, describe, expect, it } from "vitest";
import type { BotTurn, VisibleEntry } from "@handover/runtime";
import { readUntil } from "../../apps/host/test/support/read-events.ts";
import { marked } from "../../apps/host/test/support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost, type TestHostOptions } from "../../apps/host/test/support/test-host.ts";
import { openChannelClient } from "../crash/channel-client.ts";
import { openWorld, type World } from "../runtime/support/world.ts";
import { startBotServer, type BotServer } from "../../apps/host/test/support/bot-server.ts";

let host: TestHost | undefined;
let bot: BotServer | undefined;
let world: World | undefined;

afterEach(async () => {
  await host?.stop();
  await bot?.close();
  await world?.close();
  host = bot = world = undefined;
});

async function open(answer: (turn: BotTurn) => object, options: TestHostOptions = {}, events?: readonly string[]): Promise<TestHost> {
  bot = await startBotServer(answer);
  const http = { url: bot.url, secret: marked.botSecret, ...(events ? { events } : {}) };
  host = await startTestHost({
    ...options,
    root: { limits: { perConversation: { messages: 10_000, seconds: 10 } }, ...options.root },
    endpoints: [{ ...supportEndpoint, bot: { http } }],
  });
  return host;
}

const say = (opened: TestHost, id: string, text: string) => send("POST", `${opened.conversation("c")}/messages`, { id, text });
const deskLines = (opened: TestHost, index = 0) =>
  opened.desk.conversations()[index]?.messages.map(({ author, text }) => `${author}: ${text}`) ?? [];

describe("what the agent finds", () => {
  it("should be all of 250 turns in order, who said what, the bot's last words, the routing and the summary [F016]", async () => {
    const turns = 250;
    const handover = {
      summary: "Wants a refund.",
      options: { priority: "urgent", skills: ["refunds"], languages: ["de"], customAttributes: { orderNumber: "4711" } },
    };
    const opened = await open(
      ({ message }) => {
        const number = Number(message?.text?.split(" ")[1]);
        if (number < turns) return { messages: [{ text: `answer ${number}` }] };
        return { messages: [{ text: "answer 250: I will get somebody." }], handover };
      },
      { liveAgent: { messagesPerMinute: 10_000 } },
    );
    const chat = openChannelClient(opened.url, "support", "c");
    try {
      for (let number = 1; number <= turns; number += 1) {
        await chat.send(String(number), `question ${number}`);
        const isAnswer = ({ text }: VisibleEntry) => text?.startsWith(`answer ${number}`) ?? false;
        await chat.until(`answer ${number}`, (entries) => entries.slice(-3).some(isAnswer));
      }
    } finally {
      chat.close();
    }
    const lastWords = "bot: answer 250: I will get somebody.";
    await opened.desk.waitFor(() => deskLines(opened).at(-1) === lastWords, { timeoutMs: 15_000 });
    const said = Array.from({ length: turns }, (_, index) => [`user: question ${index + 1}`, `bot: answer ${index + 1}`]).flat();
    // The vendor takes 200 messages a minute: the beginning of so long a story stands in one note, written before anybody looks.
    const [ticket] = opened.desk.conversations();
    const inNote = [...(ticket?.notes[0]?.text ?? "").matchAll(/^\[.+\] (User|Bot):\n(.+)$/gm)].map(
      ([, author = "", text]) => `${author.toLowerCase()}: ${text}`,
    );
    expect([...inNote, ...deskLines(opened).filter((line) => !line.startsWith("system"))]).toEqual([...said.slice(0, -1), lastWords]);
    const { customAttributes = {}, priority, ...details } = (ticket?.details ?? {}) as { readonly [key: string]: unknown };
    expect({ customAttributes, priority }).toMatchObject({ customAttributes: { orderNumber: "4711" }, priority: "urgent" });
    for (const word of ["refunds", "de"]) expect(JSON.stringify([customAttributes, details])).toContain(`"${word}"`);
    expect(JSON.stringify(opened.desk.conversations()[0])).toContain("Wants a refund.");
  }, 30_000);

  it("should be a transcript of ten times what the desk takes at once: split at line ends, in order, each part with its author [F098 test vendor]", async () => {
    const [lines, limit] = [500, 1_000];
    world = await openWorld({ hasBot: false });
    const paragraph = Array.from({ length: 100 }, (_, index) => `line ${String(index).padStart(2, "0")} ${"x".repeat(91)}`);
    const long = paragraph.join("\n");
    expect(long.length).toBeGreaterThan(9.9 * limit);
    const transcript = Array.from({ length: lines }, (_, index) => ({
      id: String(index),
      author: { role: index % 2 === 0 ? ("user" as const) : ("bot" as const) },
      text: index === 60 ? long : `said ${index}`,
      sentAt: new Date(index).toISOString(),
    }));
    await world.runtime.requestHandover({ endpoint: "web", conversation: "c", transcript });
    const { backend } = world.vendor;
    const all = await backend.waitFor(([first]) => first?.messages.at(-1)?.text === `said ${lines - 1}`, { timeoutMs: 15_000 });
    const { messages } = all[0]!;
    const parts = messages.filter(({ text }) => text.startsWith("line"));
    expect(parts.length).toBeGreaterThan(9);
    expect(parts.flatMap(({ text }) => text.split("\n"))).toEqual(paragraph);
    for (const { author, text } of parts) {
      expect(author).toBe("user");
      expect(text.length).toBeLessThanOrEqual(limit);
    }
    const others = messages.filter(({ text }) => !text.startsWith("line"));
    expect(others).toEqual(
      transcript.filter(({ text }) => text !== long).map(({ author, text, sentAt }) => ({ author: author.role, text, at: sentAt })),
    );
    expect(messages.indexOf(parts[0]!)).toBe(60);
  }, 30_000);

  it("should be the title of what was pressed, before and during the handover, while the bot gets its payload [F131]", async () => {
    const opened = await open(({ message }) => {
      if (message?.answer) return { messages: [{ text: "Then I will get somebody." }], handover: {} };
      return { messages: [{ text: "A person?", choices: [{ id: "y", title: "Yes", payload: "YES_1" }] }] };
    });
    const url = opened.conversation("c");
    await say(opened, "1", "hello");
    const offered = (await readUntil(url, ({ choices }) => choices !== undefined)).at(-1);
    const press = (id: string) => send("POST", `${url}/messages`, { id, answer: { seq: offered?.seq, choice: "y" } });
    await press("2");
    await readUntil(url, ({ status }) => status === "queued");
    expect(bot?.requests.at(-1)?.turn.message).toMatchObject({ text: "Yes", answer: { choice: "y", payload: "YES_1" } });
    await press("3");
    await opened.desk.waitFor(([first]) => first?.messages.length === 5);
    expect(deskLines(opened).map((line) => line.split("\n")[0])).toEqual([
      "user: hello",
      "bot: A person?",
      "user: Yes",
      "bot: Then I will get somebody.",
      "user: Yes",
    ]);
    expect(JSON.stringify(opened.desk.conversations())).not.toContain("YES_1");
  });
});

describe("what the bot keeps", () => {
  it("should still be there after the handover: every turn names the same conversation [F068]", async () => {
    const contexts = new Map<string, string[]>();
    const opened = await open(
      ({ endpoint, conversation, message, event }) => {
        const context = contexts.get(`${endpoint}/${conversation}`) ?? [];
        contexts.set(`${endpoint}/${conversation}`, context);
        if (message?.text === "what do you know?") return { messages: [{ text: context.join(", ") }] };
        context.push(event ? `${event.type}${event.reason ? ` ${event.reason}` : ""}` : (message?.text ?? ""));
        return message?.text === "agent" ? { handover: {} } : {};
      },
      {},
      ["active", "ended"],
    );
    const url = opened.conversation("c");
    await say(opened, "1", "my name is Kim");
    await say(opened, "2", "agent");
    await readUntil(url, ({ status }) => status === "queued");
    const [ticket] = opened.desk.conversations();
    opened.desk.say(ticket!.id, { text: "hello" });
    await readUntil(url, ({ status }) => status === "active");
    await expect.poll(() => contexts.get("support/c")?.at(-1)).toBe("active");
    opened.desk.close(ticket!.id);
    await expect.poll(() => contexts.get("support/c")?.at(-1)).toBe("ended completed");
    await say(opened, "3", "what do you know?");
    await readUntil(url, ({ text }) => text === "my name is Kim, agent, active, ended completed");
    expect([...contexts.keys()]).toEqual(["support/c"]);
  });

  it("should be one handover for each of two sessions of one user [F067 live agent]", async () => {
    const opened = await open(({ message }) => (message?.text === "agent" ? { handover: {} } : {}));
    const user = { id: "one-user", name: "Kim" };
    const tickets: string[] = [];
    for (const session of ["left", "right"]) {
      const url = opened.conversation(session);
      await send("POST", `${url}/messages`, { id: "1", text: "agent", user });
      await readUntil(url, ({ status }) => status === "queued");
      await send("POST", `${url}/messages`, { id: "2", text: `only ${session}`, user });
      const isMine = ({ messages }: { readonly messages: readonly { readonly text: string }[] }) =>
        messages.some(({ text }) => text === `only ${session}`);
      tickets.push((await opened.desk.waitFor((all) => all.some(isMine))).find(isMine)!.id);
    }
    expect(new Set(tickets).size).toBe(2);
    opened.desk.say(tickets[0]!, { text: "to the left" });
    opened.desk.close(tickets[0]!);
    await readUntil(opened.conversation("left"), ({ status }) => status === "ended");
    opened.desk.say(tickets[1]!, { text: "to the right" });
    const right = await readUntil(opened.conversation("right"), ({ text }) => text === "to the right");
    expect(right.some(({ status }) => status === "ended")).toBe(false);
    expect(right.map(({ text }) => text)).not.toContain("to the left");
    expect(opened.desk.conversations().map(({ status }) => status)).toEqual(["closed", "active"]);
  });
});
