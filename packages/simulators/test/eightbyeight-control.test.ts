import { describe, expect, test } from "vitest";
import type { EightbyeightBench, Wire, WireAnswer } from "./eightbyeight-harness.ts";
import { brief, startEightbyeight } from "./eightbyeight-harness.ts";

const control = "/control/eightbyeight";

function act(bench: EightbyeightBench, id: string, action: string, body: object = {}): Promise<WireAnswer> {
  return bench.http("POST", `${control}/conversations/${id}/${action}`, body);
}

describe("the control API", () => {
  test("should list conversations with the vendor's ids, transcript and lines as they were written", async () => {
    const bench = await startEightbyeight();
    const id = await bench.converse({ history: { messages: [{ authorType: "bot", text: "Hello" }] } });
    await bench.api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "  Hi\n<b>you</b> " });
    await act(bench, id, "say", { text: "I am Ann" });
    const [conversation, ...others] = (await bench.http("GET", `${control}/conversations`)).json as unknown as Wire[];
    expect(others).toEqual([]);
    expect(conversation).toMatchObject({ id, status: "active", agent: "Ann Agent", user: "Uma User", notes: [] });
    expect((conversation?.["messages"] as Wire[]).map(({ author, text }) => [author, text])).toEqual([
      ["bot", "Hello"],
      ["user", "  Hi\n<b>you</b> "],
      ["agent", "I am Ann"],
    ]);
  });

  test("should carry a handover by HTTP", async () => {
    const bench = await startEightbyeight();
    const id = await bench.converse();
    await bench.told();
    expect((await act(bench, id, "accept", { agent: "Ben Agent" })).json).toMatchObject({ status: "active", agent: "Ben Agent" });
    expect((await act(bench, id, "accept", { agent: "Ann Agent" })).json).toMatchObject({ status: "active" });
    expect((await act(bench, id, "type", { isTyping: true })).status).toBe(200);
    expect(
      (await act(bench, id, "say", { text: "See", attachment: { name: "a.txt", type: "text/plain", content: "aGk=" } })).json,
    ).toMatchObject({
      messages: [{ text: "See", attachments: [{ name: "a.txt", sizeBytes: 2 }] }],
    });
    expect((await act(bench, id, "leave", { agent: "Ann Agent" })).json).toMatchObject({ agent: "Ben Agent" });
    expect((await act(bench, id, "transfer", { to: "102" })).json).toMatchObject({ status: "queued" });
    expect((await act(bench, id, "event", { eventType: "ACTIVITY", data: { name: "x" } })).status).toBe(200);
    expect((await act(bench, id, "close")).json).toMatchObject({ status: "closed" });
    expect((await act(bench, id, "reopen")).json).toMatchObject({ status: "queued" });
    expect(brief(await bench.told()).at(-1)).toBe("QUEUED 102");
  });

  test("should open a conversation of the vendor's own channel, whose customer speaks", async () => {
    const bench = await startEightbyeight();
    const opened = await bench.http("POST", `${control}/conversations`, { name: "Wanda" });
    const id = String(opened.json["id"]);
    expect((await act(bench, id, "customer-says", { text: "Hi" })).json).toMatchObject({ messages: [{ author: "user", text: "Hi" }] });
    expect((await act(bench, id, "accept")).status).toBe(409);
    expect((await bench.http("POST", "/control/live-agent/conversations", {})).status).toBe(409);
  });

  test.each([
    ["note", { text: "rude" }, 409],
    ["survey", {}, 409],
    ["leave", {}, 409],
    ["say", {}, 400],
    ["say", { text: "" }, 400],
    ["say", { attachment: {} }, 400],
    ["type", { isTyping: 1 }, 400],
    ["transfer", {}, 400],
    ["close", { abandon: true }, 400],
    ["event", {}, 400],
    ["dance", {}, 404],
    ["toString", {}, 404],
  ])("should answer %s with %j by %i", async (action, body, status) => {
    const bench = await startEightbyeight();
    const answer = await act(bench, await bench.converse(), action, body);
    expect([answer.status, answer.json]).toEqual([
      status,
      { code: expect.any(String) as string, message: expect.stringMatching(/\.$/) as string },
    ]);
  });

  test("should answer an unknown conversation with 404", async () => {
    const bench = await startEightbyeight();
    expect((await act(bench, "unknown", "accept")).json["code"]).toBe("UNKNOWN_CONVERSATION");
  });

  test("should name the vendors", async () => {
    const { http } = await startEightbyeight();
    expect((await http("GET", "/control")).json).toEqual([
      { vendor: "live-agent", title: "Cognigy Live Agent" },
      { vendor: "eightbyeight", title: "8x8 Contact Center" },
    ]);
  });

  test("should set agents, queue, webhook and behaviour", async () => {
    const { http, simulator, receiver } = await startEightbyeight();
    expect((await http("PUT", `${control}/agents`, { online: 3 })).json).toEqual({ online: 3 });
    expect(simulator.overview().agents.filter(({ isOnline }) => isOnline)).toHaveLength(3);
    expect((await http("PUT", `${control}/queue`, { position: 2 })).json).toEqual({ position: 2 });
    expect((await http("PUT", `${control}/webhook`, { url: `${receiver.url}/very-secret` })).json).toEqual({ isSet: true });
    expect(simulator.overview().webhookTarget).toBe(receiver.url);
    expect((await http("PUT", `${control}/webhook`, { url: "ftp://x" })).status).toBe(400);
    expect((await http("PUT", `${control}/behaviour`, { afterEnd: "refuse" })).json).toMatchObject({
      afterEnd: "refuse",
      webhookRetries: 5,
    });
    expect((await http("PUT", `${control}/behaviour`, {})).json).toMatchObject({ afterEnd: "requeue" });
  });

  test.each([
    { afterEnd: "maybe" },
    { transferOrder: ["left", "left"] },
    { transferOrder: "left" },
    { closeEvents: ["gone"] },
    { webhookRetries: -1 },
    { idleAfterLeaveMs: "soon" },
    { tamper: "a-bit" },
    { withoutHeader: "content-type" },
    { colour: "red" },
  ])("should refuse the behaviour %j and keep what was set", async (behaviour) => {
    const { http, converse, simulator, told } = await startEightbyeight({}, { closeEvents: [] });
    expect((await http("PUT", `${control}/behaviour`, behaviour)).status).toBe(400);
    const id = await converse();
    await told();
    simulator.close(id);
    expect(await told()).toEqual([]);
  });

  test("should reset to the demo data and keep the webhook and the ids of a configuration", async () => {
    const { api, http, converse, simulator, told, receiver } = await startEightbyeight();
    const id = await converse();
    await told();
    simulator.setWebhookUrl(`${receiver.url}/changed`);
    simulator.setFaults({ failRate: 1 });
    simulator.setBehaviour({ afterEnd: "refuse" });
    simulator.setAgents({ online: 0 });
    expect((await http("POST", "/control/reset")).status).toBe(200);
    expect([simulator.conversations(), simulator.requests(), simulator.webhooks()]).toEqual([[], [], []]);
    expect(simulator.overview().agents.filter(({ isOnline }) => isOnline)).toHaveLength(2);
    expect((await api("GET", `/conversations/${id}`)).status).toBe(404);
    expect((await api("GET", `/channels/${simulator.channelId}`)).json).toMatchObject({ webHookId: simulator.webhookId });
    await told();
    expect(await converse()).not.toBe(id);
    expect(await told()).toHaveLength(3);
    expect(receiver.received.at(-1)?.path).toBe("/changed");
    const other = await startEightbyeight();
    expect([other.simulator.channelId, other.simulator.webhookId]).toEqual([simulator.channelId, simulator.webhookId]);
  });

  test("should go back to the behaviour of its options", async () => {
    const { converse, simulator, told } = await startEightbyeight({ behaviour: { closeEvents: ["idle"] } });
    const close = async (): Promise<string[]> => {
      const id = await converse();
      simulator.accept(id);
      await told();
      simulator.close(id);
      return brief(await told());
    };
    expect(simulator.setBehaviour({ closeEvents: [] }).closeEvents).toEqual([]);
    expect(await close()).toEqual([]);
    expect(simulator.setBehaviour({}).closeEvents).toEqual(["idle"]);
    simulator.setBehaviour({ closeEvents: [] });
    simulator.reset();
    expect(await close()).toEqual(["CONVERSATION_UPDATE idle agent"]);
  });

  test("should wait for a change", async () => {
    const { converse, simulator } = await startEightbyeight();
    const waiting = simulator.waitFor(([conversation]) => conversation?.status === "active");
    simulator.accept(await converse());
    expect(await waiting).toHaveLength(1);
  });

  test("should refuse to start without a queue or with a bad address", async () => {
    await expect(startEightbyeight({ queues: [] })).rejects.toThrow("queue");
    await expect(startEightbyeight({ webhookUrl: "nowhere" })).rejects.toThrow("http");
  });
});
