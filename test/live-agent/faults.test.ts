import { afterEach, describe, expect, it } from "vitest";
import { startTestHost, type TestHost, type TestHostOptions } from "../../apps/host/test/support/test-host.ts";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";

/** Host, provider and simulator as people run them, with things going wrong in between. */
let host: TestHost | undefined;
const clients: ChannelClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await host?.stop();
  host = undefined;
});

const patient = {
  limits: { perConversation: { messages: 10_000, seconds: 10 } },
  timing: { catchUpIntervalSeconds: 1, callTimeoutSeconds: 5 },
};

async function open(options: TestHostOptions = {}): Promise<TestHost> {
  host = await startTestHost({ ...options, root: { ...patient, ...options.root } });
  return host;
}

function client(opened: TestHost, conversation = "c"): ChannelClient {
  const opening = openChannelClient(opened.url, "support", conversation);
  clients.push(opening);
  return opening;
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);
const userLines = (opened: TestHost, index = 0) =>
  opened.desk
    .conversations()
    [index]?.messages.filter((message) => message.author === "user")
    .map((message) => message.text) ?? [];
const agentEntries = (chat: ChannelClient) => chat.visible().filter((entry) => entry.kind === "message" && entry.author?.role === "agent");
const statusCount = (chat: ChannelClient, status: string) => chat.visible().filter((entry) => entry.status === status).length;

async function handOver(opened: TestHost, chat: ChannelClient): Promise<string> {
  await chat.send("ask", "I need a human");
  await chat.until("the queue", () => statusCount(chat, "queued") === 1);
  return opened.desk.conversations()[0]!.id;
}

describe("Live Agent when things go wrong", () => {
  it("should deliver everything once and in order while webhooks are doubled, reordered and delayed [F017 live agent, F018 delivery ids, F031 live agent]", async () => {
    const opened = await open();
    const chat = client(opened);
    const ticket = await handOver(opened, chat);
    opened.desk.setFaults({ duplicateWebhookRate: 0.5, reorderWebhooks: true, delayWebhooksMs: 5, seed: 7 });
    const texts = numbered("agent", 20);
    for (const text of texts) opened.desk.say(ticket, { text });
    await chat.until("all lines", () => agentEntries(chat).length === 20);
    opened.desk.close(ticket);
    await chat.until("the end", () => statusCount(chat, "ended") === 1);
    expect(agentEntries(chat).map((entry) => entry.text)).toEqual(texts);
  });

  it("should find dropped webhooks, the lost end among them [F001 live agent, F007 live agent, F074 live agent]", async () => {
    const opened = await open();
    const chat = client(opened);
    const ticket = await handOver(opened, chat);
    opened.desk.setFaults({ dropWebhookRate: 1 });
    for (const text of numbered("agent", 3)) opened.desk.say(ticket, { text });
    opened.desk.close(ticket);
    await chat.until("the end", () => statusCount(chat, "ended") === 1);
    expect(agentEntries(chat).map((entry) => entry.text)).toEqual(numbered("agent", 3));
    const kinds = chat.visible().map((entry) => entry.text ?? entry.status);
    expect(kinds.indexOf("agent 3")).toBeLessThan(kinds.findIndex((_, index) => chat.visible()[index]?.status === "ended"));
  });

  it("should survive 503 and lost answers on a third of the calls, both ways at once", async () => {
    const opened = await open();
    const chat = client(opened);
    opened.desk.setFaults({ failRate: 0.15, status: 503, loseAnswerRate: 0.15, seed: 5 });
    const ticket = await handOver(opened, chat);
    const fromUser = numbered("user", 25);
    for (const text of fromUser) {
      await chat.send(text, text);
      opened.desk.say(ticket, { text: text.replace("user", "agent") });
    }
    await opened.desk.waitFor(() => userLines(opened).length === 26, { timeoutMs: 30_000 });
    await chat.until("all lines of the agent", () => agentEntries(chat).length === 25);
    await fetch(`${opened.conversation("c")}/handover`, { method: "DELETE" });
    await chat.until("the end", () => statusCount(chat, "ended") === 1);
    expect(userLines(opened)).toEqual(["I need a human", ...fromUser]);
    expect(agentEntries(chat).map((entry) => entry.text)).toEqual(numbered("agent", 25));
    expect(opened.desk.conversations().map((one) => one.status)).toEqual(["closed"]);
  }, 60_000);

  it("should take what is typed while the desk needs seconds to accept [F040 live agent]", async () => {
    const opened = await open();
    const chat = client(opened);
    opened.desk.setFaults({ latencyMs: 1_500, only: "POST /conversations" });
    await chat.send("ask", "I need a human");
    await chat.until("the request", () => statusCount(chat, "requested") === 1);
    for (const text of numbered("user", 3)) await chat.send(text, text);
    await opened.desk.waitFor(() => userLines(opened).length === 4, { timeoutMs: 10_000 });
    expect(userLines(opened)).toEqual(["I need a human", ...numbered("user", 3)]);
    expect(statusCount(chat, "queued")).toBe(1);
  });

  it("should make one ticket of two requests at once, and answer both the same way", async () => {
    const opened = await open();
    const chat = client(opened);
    await chat.send("hello", "hello");
    const ask = () =>
      fetch(`${opened.conversation("c")}/handover`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
    await chat.until("the queue", () => statusCount(chat, "queued") === 1);
    expect(opened.desk.conversations()).toHaveLength(1);
    expect(statusCount(chat, "requested")).toBe(1);
  });

  it("should keep two conversations with the same client ids apart", async () => {
    const opened = await open();
    const chats = ["left", "right"].map((name) => ({ name, chat: client(opened, name) }));
    for (const { name, chat } of chats) {
      await chat.send("1", "I need a human");
      await chat.until("the queue", () => statusCount(chat, "queued") === 1);
      await chat.send("2", `only ${name}`);
    }
    await opened.desk.waitFor(
      (all) => all.length === 2 && all.every((one) => one.messages.some((message) => message.text.startsWith("only"))),
    );
    expect(opened.desk.conversations().map((_, index) => userLines(opened, index).at(-1))).toEqual(["only left", "only right"]);
  });
});
