import { describe, expect, test } from "vitest";
import { embedded, startEightbyeight } from "./eightbyeight-harness.ts";
import { createManualClock } from "./harness.ts";

const anyText = expect.any(String) as string;

describe("faults of calls", () => {
  test("should answer 429 with Retry-After, before anything is done", async () => {
    const { api, converse, simulator } = await startEightbyeight();
    const id = await converse();
    simulator.setFaults({ failRate: 1, status: 429, retryAfterSeconds: 7, times: 1 });
    const answer = await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Hi" });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(simulator.conversation(id).messages).toEqual([]);
    const again = await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Hi" });
    expect([again.status, again.headers.has("retry-after")]).toEqual([202, false]);
  });

  test.each([
    [400, { message: anyText, errors: { code: "invalid_parameter", message: anyText }, referenceId: anyText }],
    [401, { message: "Access Denied", errors: [{ message: "Access Denied", code: "access_denied" }], referenceId: anyText }],
    [403, { message: anyText, errors: [anyText] }],
    [404, { message: anyText, errors: [anyText] }],
    [500, { message: anyText, errors: [{ code: "internal_error", message: anyText }] }],
    [503, { message: anyText, errors: [{ code: "internal_error", message: anyText }] }],
  ])("should answer %i in the vendor's own shape", async (status, body) => {
    const { api, converse, simulator } = await startEightbyeight();
    const id = await converse();
    simulator.setFaults({ failRate: 1, status });
    const answer = await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Hi" });
    expect([answer.status, answer.json, answer.headers.has("retry-after")]).toEqual([status, body, false]);
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  });

  test.each([
    ["object", { errors: { code: anyText, message: anyText } }],
    ["list", { errors: [{ code: anyText, message: anyText }] }],
    ["texts", { errors: [anyText] }],
    ["gateway", { fault: { faultstring: anyText, detail: { errorcode: anyText } } }],
  ])("should answer in the shape %s, when told to", async (errorBody, body) => {
    const { api, simulator } = await startEightbyeight();
    simulator.setFaults({ failRate: 1, status: 500, errorBody });
    expect((await api("GET", "/channels")).json).toMatchObject(body);
  });

  test("should answer with nothing, or with HTML, when told to", async () => {
    const { api, simulator } = await startEightbyeight();
    simulator.setFaults({ failRate: 1, status: 502, errorBody: "empty" });
    const empty = await api("GET", "/channels");
    expect([empty.status, empty.text]).toEqual([502, ""]);
    simulator.setFaults({ failRate: 1, status: 502, errorBody: "html" });
    const html = await api("GET", "/channels");
    expect([html.status, html.headers.get("content-type"), html.text]).toEqual([
      502,
      "text/html",
      expect.stringMatching(/^<!DOCTYPE html>/),
    ]);
    expect(() => simulator.setFaults({ errorBody: "xml" })).toThrow("errorBody");
  });

  test("should carry a create out, tell of it, and cut the connection", async () => {
    const { api, simulator, told } = await startEightbyeight();
    simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const user = { additionalProperties: [{ key: "handover", value: "h-1" }] };
    await expect(api("POST", "/conversations", { channelId: simulator.channelId, user })).rejects.toThrow();
    expect(simulator.conversations()).toHaveLength(1);
    expect(simulator.requests().at(-1)).toMatchObject({ isAnswerLost: true });
    expect(await told()).toHaveLength(3);
    const found = await api("GET", "/conversations?filter=user.additionalProperties.value==h-1");
    expect(embedded(found, "conversations").map(({ id }) => id)).toEqual([simulator.conversations()[0]?.id]);
  });

  test.each([
    ["/channels", "GET /channels", 200],
    ["/jwk/k/public", "GET /jwk/*/public", 404],
  ])("should be slow: %s", async (path, only, status) => {
    const clock = createManualClock();
    const { api, simulator } = await startEightbyeight({}, {}, clock);
    simulator.setFaults({ latencyMs: 700, only });
    const { setTimer } = clock;
    const waiting = new Promise<number>((resolve) => {
      clock.setTimer = (callback, delayMs) => {
        const cancel = setTimer(callback, delayMs);
        resolve(delayMs);
        return cancel;
      };
    });
    const answer = api("GET", path);
    expect(await waiting).toBe(700);
    clock.advance(700);
    expect((await answer).status).toBe(status);
  });

  test("should hit the key route alone", async () => {
    const { http, api, simulator } = await startEightbyeight();
    for (const status of [404, 500]) {
      simulator.setFaults({ failRate: 1, status, only: "GET /jwk/*/public" });
      expect((await http("GET", "/eightbyeight/chat-gateway/v1/jwk/k/public")).status).toBe(status);
      expect((await api("GET", "/channels")).status).toBe(200);
    }
  });
});

describe("the log of calls", () => {
  test("should show what arrived with the key masked, and what an address hides", async () => {
    const { api, http, simulator } = await startEightbyeight({ apiKey: "very-secret" });
    const link = "https://copilot.example/?sessionId=s1&URLToken=0a6750115fb3&userId=u1";
    const additionalProperties = [
      { key: "agentAssistUrl", value: link },
      { key: "cognigyURLToken", value: "0a6750115fb3" },
    ];
    await api("POST", "/conversations", { channelId: simulator.channelId, user: { additionalProperties } });
    const { text, json } = await http("GET", "/control/eightbyeight/requests");
    expect(json).toEqual([
      expect.objectContaining({
        method: "POST",
        path: "/eightbyeight/chat-gateway/v1/conversations",
        status: 202,
        headers: expect.objectContaining({ "x-api-key": "***" }) as object,
      }),
    ]);
    expect(text).toContain("sessionId=s1&URLToken=***&userId=u1");
    for (const secret of ["very-secret", "0a6750115fb3"]) expect(text).not.toContain(secret);
  });
});
