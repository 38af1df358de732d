import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { LiveAgentSimulatorOptions } from "../src/index.ts";
import type { Bench } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

interface BotBench extends Bench {
  readonly bot: { readonly id: number; readonly token: string; readonly secret: string };
  /** The events that the bot got. */
  botEvents(): string[];
}

async function startBot(options: LiveAgentSimulatorOptions = {}, clock?: Parameters<typeof startBench>[1]): Promise<BotBench> {
  const bench = await startBench(options, clock);
  const bot = bench.liveAgent.setAgentBot({ url: `${bench.receiver.url}/bot` }) as BotBench["bot"];
  const botEvents = (): string[] => bench.receiver.received.filter(({ path }) => path === "/bot").map(({ body }) => body.event);
  return { ...bench, bot, botEvents };
}

describe("an agent bot in an inbox", () => {
  test("should force new conversations to be pending, whatever was asked for", async () => {
    const { ok, converse, liveAgent } = await startBot();
    const id = await converse("s1", { status: "open" });
    expect((await ok("GET", `/conversations/${id}`)).status).toBe("pending");
    const opened = await ok("POST", `/conversations/${id}/toggle_status`, { status: "open" });
    expect(opened.payload).toMatchObject({ success: true, current_status: "open" });
    expect(liveAgent.setAgentBot({ url: null })).toEqual({ isSet: false });
    expect((await ok("GET", `/conversations/${await converse("s2")}`)).status).toBe("open");
  });

  test("should get a conversation again that the customer reopens", async () => {
    const { ok, converse, liveAgent } = await startBot({ profile: "4.15" });
    const id = await converse();
    liveAgent.close(String(id));
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    expect((await ok("GET", `/conversations/${id}`)).status).toBe("pending");
  });

  test("should be told messages and ends, signed with its own secret, and neither creation nor typing", async () => {
    const { ok, converse, liveAgent, bot, botEvents, receiver } = await startBot({ profile: "4.15" });
    const id = await converse();
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    liveAgent.type(String(id), { isTyping: true });
    await ok("POST", `/conversations/${id}/toggle_status`, { status: "open" });
    liveAgent.close(String(id));
    await liveAgent.webhooksIdle();
    expect(botEvents()).toEqual([
      "message_created",
      "conversation_status_changed",
      "conversation_opened",
      "conversation_updated",
      "conversation_status_changed",
      "conversation_resolved",
      "conversation_updated",
    ]);
    for (const { headers, raw } of receiver.received.filter(({ path }) => path === "/bot")) {
      const expected = createHmac("sha256", bot.secret)
        .update(`${String(headers["x-chatwoot-timestamp"])}.${raw}`)
        .digest("hex");
      expect(headers["x-chatwoot-signature"]).toBe(`sha256=${expected}`);
    }
    const opened = receiver.received.find(({ body }) => body.event === "conversation_opened")!.body;
    expect(opened).not.toHaveProperty("changed_attributes");
  });

  test("should be tried three times with a pause when it is overwhelmed, with one delivery id, and then the conversation opens", async () => {
    const clock = createManualClock();
    const { ok, converse, receiver, liveAgent } = await startBot({ profile: "4.15" }, clock);
    const id = await converse();
    await liveAgent.webhooksIdle();
    const tries = (): typeof receiver.received =>
      receiver.received.filter(({ path, body }) => path === "/bot" && body.event === "message_created");
    receiver.respond = (response, { path }) => void response.writeHead(path === "/bot" ? 500 : 200).end();
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    for (let count = 1; count <= 3; count += 1) {
      await expect.poll(() => tries().length, { timeout: 10_000 }).toBe(count);
      if (count < 3) await expect.poll(() => (clock.advance(3000), tries().length), { timeout: 10_000 }).toBe(count + 1);
    }
    await expect.poll(async () => (await ok("GET", `/conversations/${id}`)).status, { timeout: 10_000 }).toBe("open");
    expect(new Set(tries().map(({ headers }) => headers["x-chatwoot-delivery"])).size).toBe(1);
  });

  test("should not be tried again for another failure, and leave the conversation pending before 4.7", async () => {
    for (const [profile, status] of [
      ["4.15", "open"],
      ["4.2", "pending"],
    ] as const) {
      const { ok, converse, receiver, liveAgent, botEvents } = await startBot({ profile });
      receiver.respond = (response, { path }) => void response.writeHead(path === "/bot" ? 404 : 200).end();
      const id = await converse();
      await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
      await liveAgent.webhooksIdle();
      expect(botEvents().filter((event) => event === "message_created")).toHaveLength(1);
      expect((await ok("GET", `/conversations/${id}`)).status).toBe(status);
    }
  });
});

describe("a bot's token", () => {
  test("should do what bots may, and be known as the sender", async () => {
    const { api, converse, bot, liveAgent, told } = await startBot({ profile: "4.15" });
    const id = await converse();
    await told();
    const headers = { api_access_token: bot.token };
    const said = await api("POST", `/conversations/${id}/messages`, { content: "I am a bot" }, headers);
    expect(said.json).toMatchObject({ message_type: 1, sender: { type: "agent_bot", id: bot.id } });
    expect((await told())[0]).toMatchObject({ sender: { id: bot.id, name: "Bot", type: "agent_bot" } });
    expect(liveAgent.conversation(String(id)).messages[0]).toMatchObject({ author: "bot", name: "Bot" });
    const handedOver = await api("POST", `/conversations/${id}/toggle_status`, { status: "open" }, headers);
    expect(handedOver.json.payload, "a hand-off").toMatchObject({ success: null, current_status: "open" });
    for (const [method, path, body] of [
      ["GET", `/conversations/${id}`, undefined],
      ["POST", `/conversations/${id}/toggle_priority`, { priority: "high" }],
      ["POST", `/conversations/${id}/custom_attributes`, { custom_attributes: { a: 1 } }],
      ["POST", `/conversations/${id}/assignments`, { assignee_id: 2 }],
      ["POST", `/conversations/${id}/labels`, { labels: ["x"] }],
    ] as const) {
      expect([path, (await api(method, path, body, headers)).status]).toEqual([path, 200]);
    }
    for (const path of ["/inboxes", "/agents", "/contacts/search?q=x", "/conversations", `/conversations/${id}/messages`]) {
      const refused = await api("GET", path, undefined, headers);
      expect([path, refused.status, refused.text]).toEqual([path, 401, '{"error":"Access to this endpoint is not authorized for bots"}']);
    }
  });

  test("should do less in older versions, and nothing in another account", async () => {
    const { api, converse, bot, http, liveAgent } = await startBot({ profile: "2.16" });
    const id = await converse();
    const headers = { api_access_token: bot.token };
    expect((await api("POST", `/conversations/${id}/messages`, { content: "x" }, headers)).status).toBe(200);
    expect((await api("GET", `/conversations/${id}`, undefined, headers)).status).toBe(401);
    const platform = { "Api-Access-Token": liveAgent.platformToken };
    const other = (await http("POST", "/live-agent/platform/api/v1/accounts", { name: "Other" }, platform)).json.id;
    const foreign = await http("POST", `/live-agent/api/v1/accounts/${other}/conversations`, {}, headers);
    expect([foreign.status, foreign.text]).toEqual([401, '{"error":"Bot is not authorized to access this account"}']);
  });

  test("should be the sender of an outgoing line that names it, and the assignee since 4.8", async () => {
    const { ok, converse, bot } = await startBot({ profile: "4.15" });
    const id = await converse();
    const named = { content: "x", sender_type: "AgentBot", sender_id: bot.id };
    expect((await ok("POST", `/conversations/${id}/messages`, named)).sender).toMatchObject({ type: "agent_bot" });
    expect((await ok("POST", `/conversations/${id}/messages`, { ...named, sender_id: 999 })).sender).toMatchObject({ type: "user", id: 1 });
    await ok("POST", `/conversations/${id}/assignments`, { assignee_id: bot.id, assignee_type: "AgentBot" });
    expect((await ok("GET", `/conversations/${id}`)).meta).toMatchObject({ assignee: { id: bot.id }, assignee_type: "AgentBot" });
  });
});

describe("typing by Live Agent's event gateway", () => {
  test("should be a CloudEvent at the webhook's address, named by session, unsigned", async () => {
    const { converse, liveAgent, receiver, told } = await startBench({ behaviour: { typing: "cloud-events" } });
    const id = String(await converse("session-abc", { additional_attributes: { cognigy_session_id: "session-1" } }));
    await told();
    liveAgent.type(id, { isTyping: true });
    liveAgent.type(id, { isTyping: false });
    const [on, off] = await told();
    expect(on).toEqual({
      specversion: "1.0",
      type: "ai.cognigy.live-agent.conversation.typing_on",
      source: expect.any(String) as string,
      subject: `conversation.${id}`,
      id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
      time: expect.any(String) as string,
      datacontenttype: "application/json",
      data: { cognigy_session_id: "session-1" },
    });
    expect(off!.type).toBe("ai.cognigy.live-agent.conversation.typing_off");
    expect(off!.id).not.toBe(on!.id);
    expect(receiver.received.at(-1)!.headers).toMatchObject({ "content-type": "application/json" });
  });

  test("should come beside the webhook, with another number and content type, or not at all, when told so", async () => {
    const { converse, liveAgent, receiver, told } = await startBench();
    const id = String(await converse());
    await told();
    const behaviour = { typing: "both", cloudEventSubject: "internal-id", cloudEventContentType: "application/cloudevents+json" } as const;
    liveAgent.setBehaviour(behaviour);
    liveAgent.type(id, { isTyping: true });
    const [webhook, event] = await told();
    expect(webhook!.event).toBe("conversation_typing_on");
    expect(event).toMatchObject({ subject: "conversation.5001", data: { cognigy_session_id: "session-abc" } });
    expect(receiver.received.at(-1)!.headers["content-type"]).toBe("application/cloudevents+json");
    liveAgent.setBehaviour({ typing: "none" });
    liveAgent.type(id, { isTyping: false });
    expect(await told()).toEqual([]);
  });

  test("should say that typing of a token's owner can be private", async () => {
    const { ok, converse, told } = await startBench();
    const id = await converse();
    await told();
    await ok("POST", `/conversations/${id}/toggle_typing_status`, { typing_status: "on", is_private: true });
    expect((await told())[0]).toMatchObject({ event: "conversation_typing_on", is_private: true, user: { id: 1, type: "user" } });
  });
});
