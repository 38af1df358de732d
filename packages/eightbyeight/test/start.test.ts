import { ProviderApiError, type HandoverError, type Message, type StartRequest, type TranscriptEntry, type User } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { logged, makeCall, makeContext, makeStartCall } from "../src/__fixtures__/calls.ts";
import type { EightbyeightOptions } from "../src/index.ts";
import { makeRequest, openDesk, type Desk } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

const create = "POST /eightbyeight/chat-gateway/v1/conversations";

const entry = (seq: number, text: string, role: Message["author"]["role"] = "user", name?: string): TranscriptEntry => ({
  seq,
  message: { id: `m${seq}`, author: { role, ...(name ? { name } : {}) }, text, sentAt: "2026-01-30T08:30:00.000Z" },
});
const transcriptOf = (count: number): TranscriptEntry[] =>
  Array.from({ length: count }, (_, index) => entry(index + 1, `line ${index + 1}`, index % 2 === 0 ? "user" : "bot"));

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

const created = (): Record<string, unknown> => desk.bodies("/conversations")[0] ?? {};
const propertiesOf = (body: Record<string, unknown>) =>
  (body["user"] as { additionalProperties: { key: string; value: string }[] }).additionalProperties;
const linesOf = (body: Record<string, unknown>) =>
  (body["history"] as { messages?: { text: string; authorType: string }[] } | undefined)?.messages ?? [];

describe("start", () => {
  it("should open one conversation with customer, queue and history in one call [F051 part: 8x8, F150 part: exact values, F016 part: 8x8]", async () => {
    desk = await openDesk();
    const user: User = {
      id: "user-1",
      name: "James",
      email: "james@example.com",
      phone: "+441234567890",
      language: "de-DE",
      isVerified: true,
      attributes: { plan: "gold" },
    };
    const transcript = [entry(3, "I need my balance"), entry(4, "I connect you now", "bot"), entry(5, "As I said", "agent", "Ann")];
    const options = {
      queueId: "102",
      jsonProperties: { company: "Acme", caseId: 7, additionalProperties: [{ key: "Intent", value: "balance" }] },
    };
    const request = makeRequest({ user, transcript, options, summary: "Wants the balance." });
    const started = await desk.connection.start(request, makeStartCall());
    const { conversationId, marker } = started.state;
    expect(started).toMatchObject({
      transcriptThrough: 5,
      relay: "both",
      references: [`conversation:${conversationId}`, `handover:${marker}`],
    });
    expect(marker).toBe(`${request.handoverId}-1`);
    expect(desk.bodies("/conversations")).toEqual([
      {
        channelId: desk.simulator.channelId,
        user: {
          name: "James",
          userId: "user-1",
          email: "james@example.com",
          phone: "+441234567890",
          language: "de",
          company: "Acme",
          caseId: "7",
          additionalProperties: [
            { key: "handoverId", value: marker },
            { key: "Intent", value: "balance" },
            { key: "summary", value: "Wants the balance." },
            { key: "plan", value: "gold" },
          ],
        },
        assignment: { type: "queue", id: "102" },
        history: {
          messages: [
            { authorType: "user", text: "[2026-01-30 08:30 UTC] I need my balance" },
            { authorType: "bot", text: "[2026-01-30 08:30 UTC] I connect you now" },
            { authorType: "bot", text: "[2026-01-30 08:30 UTC] Ann:\nAs I said" },
          ],
        },
      },
    ]);
    await desk.simulator.webhooksIdle();
    expect(desk.refused).toEqual([]);
    expect(desk.deliveries.some(({ references }) => references.includes(`handover:${marker}`))).toBe(true);
  });

  it("should send nothing for what is absent, null or white space, and texts for numbers [F048]", async () => {
    desk = await openDesk();
    const nothing = { name: null, userId: null, email: "", phone: "  ", company: null, caseId: null, language: null };
    const additionalProperties = [
      { key: "Key name", value: null },
      { key: null, value: "x" },
      { key: " ", value: "x" },
      { key: "vip", value: true },
    ];
    const user = { id: "u", name: " ", email: null, phone: "", language: "xx", attributes: { a: " ", b: null } } as unknown as User;
    await desk.startHandover({
      user,
      options: { jsonProperties: { ...nothing, additionalProperties, x: null } },
      summary: " \n",
    });
    expect(created()["user"]).toEqual({
      additionalProperties: [
        { key: "handoverId", value: expect.any(String) as string },
        { key: "vip", value: "true" },
      ],
    });
    expect(Object.keys(created())).toEqual(["channelId", "user"]);
    await desk.startHandover();
    expect(created()).toMatchObject({ channelId: desk.simulator.channelId });
  });

  it("should claim no customer id for somebody whom nobody vouches for", async () => {
    desk = await openDesk();
    await desk.startHandover({ user: { id: "user-1", name: "James" } });
    expect(created()["user"]).not.toHaveProperty("userId");
  });

  it.each([
    ["de-DE", "de"],
    ["PT_br", "pt"],
    ["zh-cn", "zh-CN"],
    ["zh-TW", "zh-TW"],
    ["zh_CN", "zh-CN"],
    ["zh-Hant-HK", "zh-TW"],
    ["nb-NO", "no"],
    ["tlh", undefined],
    [undefined, "fr"],
  ])("should route the language %s as %s [F150 part: language]", async (language, expected) => {
    desk = await openDesk({}, { defaultLanguage: "fr-FR" });
    await desk.startHandover({ user: { id: "u", ...(language === undefined ? {} : { language }) } });
    expect((created()["user"] as { language?: string }).language).toBe(expected);
  });

  it("should take the newest 200 lines and as many properties as fit beside ours, and name the rest in one warning [F099]", async () => {
    const agentAssist = { baseUrl: "https://copilot.example", urlToken: "endpoint-token" };
    desk = await openDesk({}, { agentAssist });
    logged.length = 0;
    const additionalProperties = Array.from({ length: 31 }, (_, index) => ({ key: `key ${index + 1}`, value: `value of ${index + 1}` }));
    const request = makeRequest({
      transcript: transcriptOf(201),
      options: { jsonProperties: { additionalProperties } },
      user: { id: "user-1" },
    });
    const started = await desk.connection.start(request, makeStartCall());
    expect(started.transcriptThrough).toBe(201);
    const { messages } = desk.simulator.conversation(started.state.conversationId);
    expect(messages).toHaveLength(200);
    expect([messages[0]?.text, messages[199]?.text]).toEqual([expect.stringMatching(/\] line 2$/), expect.stringMatching(/\] line 201$/)]);
    expect(messages.map(({ author }) => author)).toEqual(
      transcriptOf(201)
        .slice(1)
        .map(({ message }) => message.author.role),
    );
    const properties = propertiesOf(created());
    expect(properties.map(({ key }) => key)).toEqual([
      "handoverId",
      "agentAssistUrl",
      ...additionalProperties.slice(0, 28).map(({ key }) => key),
    ]);
    const warnings = logged.filter((line) => line.startsWith("warn"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('{"historyLeftOut":1,"propertiesLeftOut":3}');
    expect(logged.join("\n")).not.toMatch(/line 1\b|value of|endpoint-token/);
  });

  it("should tell agents too that the history was cut, where there is room", async () => {
    desk = await openDesk();
    await desk.startHandover({ transcript: transcriptOf(203) });
    expect(propertiesOf(created()).at(-1)).toEqual({ key: "historyNote", value: "3 earlier messages left out" });
  });

  it("should take 200 lines and 28 properties without a word [F099 part: at the limit]", async () => {
    desk = await openDesk();
    logged.length = 0;
    const additionalProperties = Array.from({ length: 29 }, (_, index) => ({ key: `k${index}`, value: "v" }));
    await desk.startHandover({ transcript: transcriptOf(200), options: { jsonProperties: { additionalProperties } } });
    expect([linesOf(created()).length, propertiesOf(created()).length]).toEqual([200, 30]);
    expect(logged.filter((line) => line.startsWith("warn"))).toEqual([]);
  });

  it("should keep the reserved names to itself", async () => {
    desk = await openDesk({}, { handoverIdKey: "ticket" });
    const additionalProperties = [
      { key: "ticket", value: "mine" },
      { key: "a", value: "first" },
      { key: "a", value: "second" },
    ];
    const started = await desk.startHandover({ options: { jsonProperties: { additionalProperties } } });
    expect(propertiesOf(created())).toEqual([
      { key: "ticket", value: started.state.marker },
      { key: "a", value: "first" },
    ]);
  });

  it("should show original times in the zone that the settings name, or none [F037 part: 8x8]", async () => {
    desk = await openDesk({}, { timeZone: "America/New_York" });
    await desk.startHandover({ transcript: [entry(1, "hello")] });
    expect(linesOf(created())[0]?.text).toBe("[2026-01-30 03:30 America/New_York] hello");
    const plain = desk.connect({ historyTimes: false });
    await plain.start(makeRequest({ transcript: [entry(1, "hello"), entry(2, " "), entry(3, "x".repeat(4001))] }), makeStartCall());
    expect(linesOf(desk.bodies("/conversations")[1] ?? {}).map(({ text }) => text.length)).toEqual([5, 4000, 1]);
  });

  it("should send no history where the settings say so", async () => {
    desk = await openDesk({}, { sendHistory: false });
    const started = await desk.startHandover({ transcript: transcriptOf(3) });
    expect([created()["history"], started.transcriptThrough]).toEqual([undefined, 3]);
  });

  it("should put the link to the workspace into the customer values, as secret as it is [F112 part: links]", async () => {
    const agentAssist = { baseUrl: "https://copilot.example/x", urlToken: "endpoint-token", propertyKey: "copilot" };
    desk = await openDesk({}, { agentAssist });
    logged.length = 0;
    const links = async (options: EightbyeightOptions, user?: User): Promise<string | undefined> => {
      const sent: string[] = [];
      const context = makeContext();
      const connection = desk.connect({}, context);
      const state = await connection.start(makeRequest({ options, conversation: "c/1", ...(user ? { user } : {}) }), makeStartCall());
      sent.push(JSON.stringify(state), logged.join("\n"));
      expect(sent.join("\n")).not.toContain("endpoint-token");
      const answer = await fetch(`${desk.simulator.baseUrl}/chat-gateway/v1/conversations/${state.state.conversationId}`, {
        headers: { "x-api-key": desk.simulator.apiKey },
      });
      const { user: stored } = (await answer.json()) as { user: { additionalProperties: { key: string; value: string }[] } };
      return stored.additionalProperties.find(({ key }) => key === "copilot")?.value;
    };
    expect(await links({}, { id: "u1" })).toBe("https://copilot.example/x?sessionId=c%2F1&userId=u1&URLToken=endpoint-token");
    expect(await links({ agentAssistSessionId: "session-9", agentAssistUserId: "u9" })).toBe(
      "https://copilot.example/x?sessionId=session-9&userId=u9&URLToken=endpoint-token",
    );
    expect(await links({}), "nobody to name").toBeUndefined();
    expect(await links({ agentAssistLink: false }, { id: "u1" })).toBeUndefined();
  });
});

describe("a start without a clear answer", () => {
  it("should find the conversation by the handover's id, and make no second one [F043 part: 8x8]", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const request = makeRequest();
    const call = makeStartCall();
    const error = await failureOf(desk.connection.start(request, call));
    expect(error).toMatchObject({ outcome: "unknown", isRetryable: true });
    expect(call.saved[0]).toMatchObject({ references: [`handover:${request.handoverId}-1`] });
    const resumed = { ...request, resume: call.resume() };
    const found = await desk.connection.findStarted?.(resumed, makeStartCall());
    expect(found).toMatchObject({
      references: [`conversation:${desk.simulator.conversations()[0]?.id}`, `handover:${request.handoverId}-1`],
    });
    expect((await desk.connection.start(resumed, makeStartCall())).state.conversationId).toBe(desk.simulator.conversations()[0]?.id);
    expect(desk.simulator.conversations()).toHaveLength(1);
  });

  it("should go on where a delivery has shown the conversation", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const request = makeRequest();
    const call = makeStartCall();
    await failureOf(desk.connection.start(request, call));
    await desk.simulator.webhooksIdle();
    const references = desk.deliveries.find(({ references: all }) => all.length > 1)?.references ?? [];
    const before = desk.calls().length;
    const started = await desk.connection.start({ ...request, resume: { ...call.resume(), references: [...references] } }, makeStartCall());
    expect(started.state.conversationId).toBe(desk.simulator.conversations()[0]?.id);
    expect(desk.calls()).toHaveLength(before);
  });

  it("should claim that there is none only where it has found one in this way before [F043 part: 8x8's list]", async () => {
    desk = await openDesk();
    const inDoubt = { ...makeRequest(), resume: { references: [], state: { marker: "x", isCreating: true } } };
    expect(await desk.connection.findStarted?.(inDoubt, makeStartCall())).toBe("unknown");
    expect(await failureOf(desk.connection.start(inDoubt, makeStartCall()))).toMatchObject({ code: "START_IN_DOUBT", outcome: "unknown" });
    await desk.startHandover();
    expect(await desk.connection.findStarted?.(inDoubt, makeStartCall())).toBe("absent");
    expect(await desk.connection.findStarted?.(makeRequest(), makeStartCall()), "nothing was asked for yet").toBe("absent");
    expect((await desk.connection.start(inDoubt, makeStartCall())).relay).toBe("both");
    expect(desk.simulator.conversations()).toHaveLength(2);
  });

  it("should never be sure where 8x8 does not give the id back", async () => {
    desk = await openDesk({ behaviour: { keepsProperties: false } });
    await desk.startHandover();
    const call = makeStartCall();
    const request = makeRequest();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    await failureOf(desk.connection.start(request, call));
    expect(await desk.connection.findStarted?.({ ...request, resume: call.resume() }, makeStartCall())).toBe("unknown");
    expect(desk.simulator.conversations()).toHaveLength(2);
  });

  it("should look through all pages where the filter is not taken [F102 part: conversations]", async () => {
    desk = await openDesk();
    for (let count = 0; count < 3; count += 1) await desk.startHandover();
    const request = makeRequest();
    const call = makeStartCall();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    await failureOf(desk.connection.start(request, call));
    desk.simulator.setFaults({ failRate: 1, status: 400, only: "GET /conversations", times: 1 });
    const fresh = desk.connect({}, makeContext());
    expect(await fresh.findStarted?.({ ...request, resume: call.resume() }, makeStartCall())).toMatchObject({ relay: "both" });
  });

  it("should simply try again after an answer that says that nothing was done", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ failRate: 1, status: 503, only: "POST /conversations", times: 1 });
    const request = makeRequest();
    const call = makeStartCall();
    expect(await failureOf(desk.connection.start(request, call))).toMatchObject({ isRetryable: true, outcome: "not-applied" });
    await desk.connection.start({ ...request, resume: call.resume() }, makeStartCall());
    expect(desk.calls("GET")).toHaveLength(1);
    expect(desk.simulator.conversations()).toHaveLength(1);
  });

  it("should learn once for an account whether it can find what it made, and fail for nothing of that", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ failRate: 1, status: 500, only: "GET /conversations", times: 1 });
    await desk.startHandover();
    for (let count = 0; count < 3; count += 1) await desk.startHandover();
    expect(desk.calls("GET /eightbyeight/chat-gateway/v1/conversations").length).toBe(2);
  });
});

describe("a start that 8x8 refuses", () => {
  const starts = (settings: Record<string, unknown>, options: EightbyeightOptions = {}): Promise<HandoverError> =>
    failureOf(desk.connect(settings, makeContext()).start(makeRequest({ options }), makeStartCall()));

  it("should say for each mistake what is wrong and what to do [F175, F109 part: 8x8]", async () => {
    desk = await openDesk({ otherTenants: ["acme02"] });
    const mistakes = [
      await starts({ queueId: "eght_key-in-the-queue-field" }),
      await starts({ channelId: "no-such-channel" }),
      await starts({ tenant: undefined }),
      await starts({ tenant: "Acme One" }),
      await starts({ apiKey: "the-secret-of-the-key" }),
    ];
    desk.simulator.setBehaviour({ keyHasProduct: false });
    mistakes.push(await starts({}));
    expect(mistakes.map(({ code }) => code)).toEqual([
      "QUEUE_NOT_FOUND",
      "CHANNEL_NOT_FOUND",
      "TENANT_REFUSED",
      "TENANT_REFUSED",
      "API_KEY_REFUSED",
      "API_PRODUCT_MISSING",
    ]);
    const messages = mistakes.map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
    expect(messages[0]).toMatch(/Queue ID.*no API key/s);
    expect(messages[2]).toContain("set 8x8-Tenant");
    expect(messages[3]).toContain("exactly as it is written");
    expect(messages[4]).toMatch(/not its secret.*another product/s);
    expect(messages[5]).toContain("attach it");
    expect(messages.join("\n")).not.toMatch(/key-in-the-queue-field|the-secret-of-the-key|simulator-eightbyeight-key/);
    expect(mistakes.map(({ effect }) => effect)).toEqual(["handover", "handover", "connection", "connection", "connection", "connection"]);
    expect(desk.simulator.conversations()).toHaveLength(0);
  });

  it("should send the tenant only where it is configured, and the key with every call", async () => {
    desk = await openDesk();
    await desk.startHandover();
    await desk.connect({ tenant: undefined }).start(makeRequest(), makeStartCall());
    expect(desk.calls(create).map(({ headers }) => headers["x-8x8-tenant"])).toEqual(["acme01", undefined]);
  });

  it("should name the field that an answer lacks [F049 part: 8x8]", async () => {
    desk = await openDesk();
    const { createServer } = await import("node:http");
    const server = createServer((_request, response) => response.writeHead(202).end('{"createdAt":"2026-01-30T08:30:00Z"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const error = await starts({ baseUrl: `http://127.0.0.1:${port}/some/path` });
    server.closeAllConnections();
    server.close();
    expect(ProviderApiError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: "VENDOR_ANSWER_UNEXPECTED", outcome: "unknown" });
    expect(error.message).toContain("conversationId");
  });
});

describe("a conversation of 8x8's own channel", () => {
  const open = () => desk.simulator.openConversation({ name: "Uma", text: "I want a person" }).id;

  it("should be put into the queue, and relayed by nobody but 8x8 [F019 part: one role]", async () => {
    desk = await openDesk({}, { queueId: "101" });
    const conversationId = open();
    const started = await desk.startHandover({ options: { conversationId }, transcript: transcriptOf(2) });
    expect(started).toMatchObject({
      relay: "none",
      transcriptThrough: 2,
      references: [`conversation:${conversationId}`],
      state: { relay: "none" },
    });
    expect(desk.calls("PATCH").map(({ body }) => body)).toEqual([{ assignment: { type: "queue", id: "101" } }]);
    desk.simulator.say(conversationId, { text: "hello from the agent" });
    desk.simulator.customerSays(conversationId, { text: "hello from Uma" });
    desk.simulator.close(conversationId);
    await desk.simulator.webhooksIdle();
    let handover = desk.handover(started);
    const events = desk.deliveries.flatMap((delivery) => {
      const told = desk.connection.translate?.(handover, delivery);
      handover = { ...handover, state: told?.state ?? handover.state };
      expect(told?.pull).toBeUndefined();
      return told?.events ?? [];
    });
    expect(events.map(({ type }) => type)).toEqual(["queued", "agent-joined", "ended"]);
    const caught = await desk.connection.catchUp?.(handover, undefined, makeCall());
    expect(caught?.deliveries.map(({ payload }) => (payload as { kind: string }).kind)).toEqual(["snapshot"]);
    const message = { id: "m", author: { role: "user" as const }, text: "x", sentAt: "2026-01-30T08:30:00Z" };
    expect(await failureOf(desk.connection.sendMessage?.(handover, { message }, makeCall()) ?? Promise.resolve())).toMatchObject({
      code: "UNSUPPORTED",
    });
    expect(desk.calls("POST")).toEqual([]);
  });

  it("should not be moved again by a second try, and not be taken from an agent", async () => {
    desk = await openDesk({}, { queueId: "101" });
    const conversationId = open();
    const request: StartRequest<EightbyeightOptions> = makeRequest({ options: { conversationId } });
    await desk.connection.start(request, makeStartCall());
    await desk.connection.start(request, makeStartCall());
    desk.simulator.accept(conversationId);
    await desk.connection.start(request, makeStartCall());
    expect(desk.calls("PATCH")).toHaveLength(1);
    expect(await desk.connection.findStarted?.(request, makeStartCall())).toBe("absent");
  });

  it("should have one role only: what this connection opened is refused", async () => {
    desk = await openDesk({}, { queueId: "101" });
    const { state } = await desk.startHandover();
    const error = await failureOf(desk.startHandover({ options: { conversationId: state.conversationId } }));
    expect(error).toMatchObject({ code: "CONVERSATION_HAS_OTHER_ROLE", effect: "handover" });
    expect(await failureOf(desk.startHandover({ options: { conversationId: "nobody-knows" } }))).toMatchObject({ effect: "handover" });
    const unqueued = desk.connect({ queueId: undefined });
    expect(await failureOf(unqueued.start(makeRequest({ options: { conversationId: open() } }), makeStartCall()))).toMatchObject({
      code: "QUEUE_MISSING",
    });
  });

  it("should be left by the customer when they ask, and not by a timer of ours", async () => {
    desk = await openDesk({}, { queueId: "101" });
    const started = await desk.startHandover({ options: { conversationId: open() } });
    await desk.connection.end?.(desk.handover(started), { reason: "timed-out", actor: "system" }, makeCall());
    expect(desk.calls("/participants/user")).toEqual([]);
    await desk.connection.end?.(desk.handover(started), { reason: "cancelled", actor: "user" }, makeCall());
    expect(desk.calls("/participants/user")).toHaveLength(1);
  });
});
