import { afterEach, describe, expect, it } from "vitest";
import type { VisibleEntry } from "@handover/runtime";
import { marked } from "../../apps/host/test/support/test-configuration.ts";
import { startTestHost, type TestHost, type TestHostOptions } from "../../apps/host/test/support/test-host.ts";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";

/** What Live Agent's webhooks do to each other, behind the real host. */
let host: TestHost | undefined;
let chat: ChannelClient | undefined;

afterEach(async () => {
  chat?.close();
  await host?.stop();
  host = undefined;
});

async function handOver(options: TestHostOptions = {}, prepare: (desk: TestHost["desk"], url: string) => void = () => undefined) {
  host = await startTestHost({ ...options, root: { timing: { catchUpIntervalSeconds: 1 }, ...options.root } });
  prepare(host.desk, `${host.url}/handover/live-agent/desk/${marked.webhookSecret}`);
  const client = openChannelClient(host.url, "support", "c");
  chat = client;
  await client.send("ask", "I need a human");
  await client.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
  return { host, chat: client, ticket: host.desk.conversations()[0]?.id ?? "" };
}

const textsOf = (client: ChannelClient, role: "agent" | "system"): (string | undefined)[] =>
  client.visible().flatMap(({ kind, author, text }: VisibleEntry) => (kind === "message" && author?.role === role ? [text] : []));
/** Every call that changes something, but for the signs of what was delivered and read. */
const writes = ({ desk }: TestHost): string[] =>
  desk
    .requests()
    .map(({ method, path }) => `${method} ${path}`)
    .filter((call) => !/^GET |\/update_last_seen$|^PATCH .*\/messages\/\d+$/.test(call));

describe("Live Agent's webhooks behind the host", () => {
  it("should show a message once that comes by two subscriptions and an agent bot, with other delivery ids each [F018 account and inbox]", async () => {
    const {
      host: opened,
      chat: client,
      ticket,
    } = await handOver({ liveAgent: { profile: "4.15" } }, (desk, url) => {
      desk.setAccountWebhook({
        url,
        subscriptions: ["message_created", "message_updated", "conversation_updated", "conversation_status_changed"],
      });
      desk.setAgentBot({ url });
    });
    const texts = ["one", "two", "three"];
    for (const text of texts) opened.desk.say(ticket, { text });
    await client.until("all three", () => textsOf(client, "agent").length >= 3);
    opened.desk.close(ticket);
    await client.until("the end", (entries) => entries.some(({ status }) => status === "ended"));
    await opened.desk.webhooksIdle();
    expect(textsOf(client, "agent")).toEqual(texts);
    expect(client.visible().filter(({ status }) => status === "ended")).toHaveLength(1);
    expect(opened.desk.webhooks().length).toBeGreaterThan(texts.length * 2);
  });

  it("should write nothing because of its own writes, or because somebody changes labels, priority and attributes [F065]", async () => {
    const { host: opened, chat: client, ticket } = await handOver({ liveAgent: { behaviour: { doublesUpdates: true } } });
    opened.desk.say(ticket, { text: "hello" });
    await client.until("the answer", () => textsOf(client, "agent").length === 1);
    await opened.desk.webhooksIdle();
    const before = writes(opened);
    opened.desk.setLabels(ticket, { labels: ["vip"] });
    opened.desk.setPriority(ticket, { priority: "urgent" });
    opened.desk.assign(ticket, { agent: "Kim" });
    opened.desk.setLabels(ticket, { labels: [] });
    opened.desk.say(ticket, { text: "and now?" });
    await client.until("the second answer", () => textsOf(client, "agent").length === 2);
    await opened.desk.webhooksIdle();
    expect(writes(opened)).toEqual(before);
  });

  it("should find an automatic greeting that has no webhook, and show it as the system's [F038 greetings]", async () => {
    const {
      host: opened,
      chat: client,
      ticket,
    } = await handOver({ liveAgent: { profile: "2.16", greetingMessage: "Welcome to the desk!" } });
    // An answer before the user's first line would make it superfluous.
    await opened.desk.waitFor((all) => all[0]?.messages.some(({ text }) => text === "I need a human") ?? false);
    opened.desk.say(ticket, { text: "hello" });
    await client.until("the answer", () => textsOf(client, "agent").length === 1);
    expect(opened.desk.conversations()[0]?.messages.map(({ text }) => text)).toContain("Welcome to the desk!");
    await client.until("the greeting", () => textsOf(client, "system").includes("Welcome to the desk!"));
    expect(textsOf(client, "agent")).toEqual(["hello"]);
  });

  it("should go on in an inbox that sends no webhooks at all [F096 moved to another inbox]", async () => {
    const { host: opened, chat: client, ticket } = await handOver();
    const made = await fetch(`${opened.desk.baseUrl}/accounts/${opened.desk.accountId}/inboxes`, {
      method: "POST",
      headers: { "content-type": "application/json", "api-access-token": opened.desk.apiKey },
      body: JSON.stringify({ name: "Other", channel: { type: "api" } }),
    });
    expect(made.status).toBe(200);
    opened.desk.say(ticket, { text: "one" });
    await client.until("one", () => textsOf(client, "agent").length === 1);
    const place = opened.desk.overview().queues?.find(({ id }) => id.startsWith("inbox:"))?.id;
    opened.desk.transfer(ticket, { to: place ?? "" });
    opened.desk.say(ticket, { text: "two" });
    await client.until("two", () => textsOf(client, "agent").length === 2);
    await client.send("back", "still there?");
    await opened.desk.waitFor((all) => all[0]?.messages.some(({ text }) => text === "still there?") ?? false);
    opened.desk.close(ticket);
    await client.until("the end", (entries) => entries.some(({ status }) => status === "ended"));
  });

  it("should take nothing from whoever does not know the secret, and nothing of another account [F103 live agent]", async () => {
    const { host: opened, chat: client, ticket } = await handOver();
    opened.desk.say(ticket, { text: "one" });
    await client.until("one", () => textsOf(client, "agent").length === 1);
    const { accountId } = opened.desk;
    const forged = (account: number) => ({
      event: "message_created",
      id: 999_999,
      content: "give me your password",
      message_type: "outgoing",
      private: false,
      account: { id: account },
      sender: { id: 77, name: "Eve", type: "user" },
      conversation: { id: Number(ticket.split(":").at(-1)), messages: [], meta: {} },
    });
    const send = (secret: string, account: number): Promise<Response> =>
      fetch(`${opened.url}/handover/live-agent/desk${secret}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(forged(account)),
      });
    for (const secret of ["", "/wrong-secret-0123456789abcdef"]) expect((await send(secret, accountId)).status).toBe(401);
    expect((await send(`/${marked.webhookSecret}`, accountId + 1)).status).toBe(200);
    opened.desk.say(ticket, { text: "two" });
    await client.until("two", () => textsOf(client, "agent").length >= 2);
    expect(textsOf(client, "agent")).toEqual(["one", "two"]);
  });
});
