import { describe, expect, test } from "vitest";
import type { Bench, Loose } from "./harness.ts";
import { eventsOf, startBench } from "./harness.ts";

const control = "/control/live-agent";

async function act(bench: Bench, id: number, action: string, body: object = {}): Promise<{ status: number; json: Loose }> {
  const { status, json } = await bench.http("POST", `${control}/conversations/${id}/${action}`, body);
  return { status, json };
}

describe("conversations", () => {
  test("should list them with their transcript, times and authors, ids as texts", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    const post = (fields: object): unknown => bench.api("POST", `/conversations/${id}/messages`, fields);
    await post({ content: "  Hi\n<b>you</b> ", message_type: "incoming", external_created_at: 1_767_261_600 });
    await post({ content: "I am a bot" });
    await act(bench, id, "say", { text: "I am Ann" });
    const [conversation, ...others] = (await bench.http("GET", `${control}/conversations`)).json;
    expect(others).toEqual([]);
    expect(conversation).toMatchObject({ id: "1", status: "active", user: "Uma User", notes: [] });
    expect(conversation!.messages.map(({ author, text }: { author: string; text: string }) => [author, text])).toEqual([
      ["user", "  Hi\n<b>you</b> "],
      ["bot", "I am a bot"],
      ["agent", "I am Ann"],
    ]);
    expect(conversation!.messages[0]!.at).toBe("2026-01-01T10:00:00.000Z");
  });

  test("should keep closed ones", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    await act(bench, id, "close");
    expect((await bench.http("GET", `${control}/conversations`)).json).toEqual([expect.objectContaining({ id: "1", status: "closed" })]);
  });
});

describe("acting as the agent", () => {
  test("should accept: assigned and active, announced once", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    expect(bench.liveAgent.conversation("1").status).toBe("queued");
    expect((await act(bench, id, "accept", { agent: "Ben Agent" })).json).toMatchObject({ status: "active", agent: "Ben Agent" });
    expect((await act(bench, id, "accept")).json).toMatchObject({ agent: "Ben Agent" });
    await bench.liveAgent.webhooksIdle();
    expect(eventsOf(bench.receiver.received)).toEqual(["conversation_created", "conversation_updated"]);
    expect((await act(bench, id, "accept", { agent: "Ada New" })).json).toMatchObject({ status: "active", agent: "Ada New" });
    expect((await act(bench, id, "say", { text: "I am new here" })).json).toMatchObject({ agent: "Ada New" });
    expect((await act(bench, id, "accept", { agent: "" })).status).toBe(400);
  });

  test("should stay queued when a program assigns an agent", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    await bench.api("POST", `/conversations/${id}/assignments`, { assignee_id: 2 });
    expect(bench.liveAgent.conversation("1")).toMatchObject({ status: "queued", agent: "Ann Agent" });
  });

  test("should become active with an answer alone", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    expect((await act(bench, id, "say", { text: "Hello" })).json).toMatchObject({ status: "active" });
  });

  test("should type", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    expect((await act(bench, id, "type", { isTyping: true })).status).toBe(200);
    await bench.liveAgent.webhooksIdle();
    expect(eventsOf(bench.receiver.received)).toEqual(["conversation_created", "conversation_typing_on"]);
  });

  test("should keep notes apart from messages", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    const { json } = await act(bench, id, "note", { text: "rude" });
    expect(json).toMatchObject({ status: "queued", messages: [], notes: [{ text: "rude", name: "Ann Agent" }] });
  });

  test("should transfer to another agent", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    await act(bench, id, "accept", { agent: "Ann Agent" });
    expect((await act(bench, id, "transfer", { to: "Ben Agent" })).json).toMatchObject({ status: "active", agent: "Ben Agent" });
    expect((await act(bench, id, "transfer", { to: "" })).status).toBe(400);
    expect((await act(bench, id, "transfer")).status).toBe(400);
  });

  test("should leave without closing", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    expect((await act(bench, id, "leave")).status).toBe(409);
    await act(bench, id, "accept");
    const { json } = await act(bench, id, "leave");
    expect(json.status).toBe("queued");
    expect(json).not.toHaveProperty("agent");
    const shown = (await bench.api("GET", `/conversations/${id}`)).json;
    expect(shown.status).toBe("open");
    expect(shown.meta).not.toHaveProperty("assignee");
  });

  test("should close by resolving, or abandon where the product knows that", async () => {
    const bench = await startBench();
    await act(bench, await bench.converse("s1"), "close");
    expect((await bench.api("GET", "/conversations/1")).json.status).toBe("resolved");
    expect((await act(bench, 1, "close")).status).toBe(409);
    await act(bench, await bench.converse("s2"), "close", { abandon: true });
    expect((await bench.api("GET", "/conversations/2")).json.status).toBe("abandoned");
    const upstream = await startBench({ profile: "4.15" });
    expect((await act(upstream, await upstream.converse(), "close", { abandon: true })).status).toBe(409);
  });

  test("should reopen in 4.15 only", async () => {
    const upstream = await startBench({ profile: "4.15" });
    const id = await upstream.converse();
    expect((await act(upstream, id, "reopen")).status).toBe(409);
    await act(upstream, id, "close");
    await act(upstream, id, "reopen");
    expect((await upstream.api("GET", `/conversations/${id}`)).json.status).toBe("open");
    const bench = await startBench();
    await act(bench, await bench.converse(), "close");
    expect((await act(bench, 1, "reopen")).status).toBe(409);
  });

  test("should say it when nobody is online", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    bench.liveAgent.setAgents({ online: 0 });
    expect((await act(bench, id, "say", { text: "x" })).json).toEqual({ code: "NOT_POSSIBLE", message: "No agent is online." });
  });
});

describe("bad input", () => {
  test.each([
    ["say", {}, 400],
    ["say", { text: "" }, 400],
    ["say", { text: 5 }, 400],
    ["say", { text: "x", colour: "red" }, 400],
    ["type", { isTyping: "yes" }, 400],
    ["note", [], 400],
    ["dance", {}, 404],
  ])("should answer %s with %j by %i and a message", async (action, body, status) => {
    const bench = await startBench();
    const answer = await act(bench, await bench.converse(), action, body);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ code: expect.any(String) as string, message: expect.stringMatching(/\.$/) as string });
  });

  test.each(["7", "abc", "01", "1e0", "-1"])("should answer the unknown conversation %s with 404", async (id) => {
    const bench = await startBench();
    await bench.converse();
    const answer = await bench.http("POST", `${control}/conversations/${id}/accept`, {});
    expect([answer.status, answer.json.code]).toEqual([404, "UNKNOWN_CONVERSATION"]);
  });

  test("should refuse what is no JSON, an unknown vendor and an unknown route", async () => {
    const { http, converse } = await startBench();
    await converse();
    expect((await http("POST", `${control}/conversations/1/say`, "{")).status).toBe(400);
    expect((await http("GET", "/control/nobody/conversations")).json.message).toContain("live-agent");
    expect((await http("GET", `${control}/nothing`)).status).toBe(404);
  });

  test("should refuse pages of another origin", async () => {
    const { http, url, converse, liveAgent } = await startBench();
    await converse();
    const path = `${control}/conversations/1/accept`;
    expect((await http("POST", path, {}, { origin: "https://evil.example" })).status).toBe(403);
    expect(liveAgent.conversation("1").status).toBe("queued");
    expect((await http("POST", path, {}, { origin: url })).status).toBe(200);
  });
});

describe("settings", () => {
  test("should put so many agents online", async () => {
    const bench = await startBench();
    const online = async (): Promise<number> => {
      const agents = (await bench.api("GET", "/agents")).json;
      return agents.filter((agent) => agent.availability_status === "online").length;
    };
    for (const count of [0, 1, 12, 2]) {
      expect((await bench.http("PUT", `${control}/agents`, { online: count })).json).toEqual({ online: count });
      expect(await online()).toBe(count);
    }
    expect((await bench.http("PUT", `${control}/agents`, { online: -1 })).status).toBe(400);
    expect((await bench.http("PUT", `${control}/agents`, {})).status).toBe(400);
  });

  test("should set what the queue says", async () => {
    const bench = await startBench();
    const id = await bench.converse();
    expect((await bench.http("PUT", `${control}/queue`, { position: 4, estimatedWaitMs: 60_000 })).status).toBe(200);
    expect((await bench.api("GET", `/conversations/${id}/queue_details`)).json).toEqual({ position: 4, estimated_wait_time: 60_000 });
    expect((await bench.http("PUT", `${control}/queue`, { position: 0 })).status).toBe(400);
    const upstream = await startBench({ profile: "4.15" });
    expect((await upstream.http("PUT", `${control}/queue`, { position: 4 })).status).toBe(409);
  });

  test("should set the webhook", async () => {
    const bench = await startBench({ webhookUrl: "http://127.0.0.1:1/" });
    expect((await bench.http("PUT", `${control}/webhook`, { url: `${bench.receiver.url}/new` })).json).toEqual({ isSet: true });
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    expect(bench.receiver.received[0]!.path).toBe("/new");
    expect((await bench.http("PUT", `${control}/webhook`, { url: "ftp://x" })).status).toBe(400);
    expect((await bench.http("PUT", `${control}/webhook`, {})).status).toBe(400);
    expect((await bench.http("PUT", `${control}/webhook`, { url: null })).json).toEqual({ isSet: false });
  });

  test("should reset to the demo data, keep the webhook and not give out ids again", async () => {
    const bench = await startBench();
    const first = await bench.converse();
    await bench.liveAgent.webhooksIdle();
    bench.liveAgent.setFaults({ failRate: 1 });
    bench.liveAgent.setAgents({ online: 0 });
    expect((await bench.http("POST", "/control/reset")).status).toBe(200);
    expect(bench.liveAgent.conversations()).toEqual([]);
    expect(bench.liveAgent.requests()).toEqual([]);
    expect(bench.liveAgent.webhooks()).toEqual([]);
    expect(bench.liveAgent.overview().agents.filter((agent) => agent.isOnline)).toHaveLength(2);
    await bench.liveAgent.webhooksIdle();
    bench.receiver.received.length = 0;
    expect(await bench.converse()).toBe(first + 1);
    await bench.liveAgent.webhooksIdle();
    expect(eventsOf(bench.receiver.received)).toEqual(["conversation_created"]);
  });

  test("should list the calls that arrived with their secrets masked", async () => {
    const bench = await startBench({ apiKey: "very-secret" });
    await bench.api("GET", "/inboxes?token=abc");
    await bench.api(
      "POST",
      "/contacts",
      { name: "Uma", custom_attributes: { password: "hunter2" } },
      { "Api-Access-Token": "very-secret" },
    );
    await bench.api("POST", "/contacts", "no json");
    const { text, json } = await bench.http("GET", `${control}/requests`);
    expect(json.map((request: Loose) => [request.method, request.path, request.status])).toEqual([
      ["GET", "/live-agent/api/v1/accounts/1/inboxes", 200],
      ["POST", "/live-agent/api/v1/accounts/1/contacts", 200],
      ["POST", "/live-agent/api/v1/accounts/1/contacts", 400],
    ]);
    expect(json[0]).toMatchObject({ query: { token: "***" }, headers: { api_access_token: "***" } });
    expect(json[1]).toMatchObject({
      body: { name: "Uma", custom_attributes: { password: "***" } },
      headers: { "api-access-token": "***" },
    });
    for (const secret of ["very-secret", "hunter2", "abc"]) expect(text).not.toContain(secret);
  });
});

describe("waiting", () => {
  test("should resolve with the change that makes the predicate true", async () => {
    const bench = await startBench();
    const waiting = bench.liveAgent.waitFor(([conversation]) => conversation?.status === "active");
    const id = String(await bench.converse());
    bench.liveAgent.accept(id);
    expect(await waiting).toEqual([expect.objectContaining({ id, status: "active" })]);
    await expect(bench.liveAgent.waitFor(() => false, { timeoutMs: 1 })).rejects.toThrow("within 1 ms");
  });
});

describe("start", () => {
  test("should add the offset to every id", async () => {
    const bench = await startBench({ idOffset: 5000 });
    expect(await bench.converse()).toBe(5001);
  });

  test("should refuse an unknown profile and bad ids", async () => {
    await expect(startBench({ profile: "1.0" as never })).rejects.toThrow("known: live-agent, 1.19, 2.16, 3.16, 4.2, 4.15");
    await expect(startBench({ accountId: "abc" })).rejects.toThrow("accountId");
  });
});
