import { afterEach, describe, expect, test } from "vitest";
import { createRateLimiter } from "../src/server/rate-limiter.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let host: TestHost | undefined;
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

const start = async (limits: object): Promise<TestHost> => {
  host = await startTestHost({
    root: { limits },
    endpoints: [
      { ...supportEndpoint, bot: "none" },
      { ...supportEndpoint, token: "other", bot: "none" },
    ],
  });
  return host;
};
const write = (url: string, id: number) => send("POST", `${url}/messages`, { id: String(id), text: "x" });

describe("messages", () => {
  test("should be taken 30 times in 10 s per conversation, then be refused with the time to wait", async () => {
    const { conversation } = await start({});
    const answers = await Promise.all(Array.from({ length: 31 }, (_, index) => write(conversation("a"), index)));
    const refused = answers.filter(({ status }) => status !== 202);
    expect(refused).toMatchObject([{ status: 429, json: { code: "TOO_MANY_REQUESTS" } }]);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeLessThanOrEqual(10);
    expect((await write(conversation("b"), 1)).status).toBe(202);
  });

  test("should be refused while more wait for a contact centre that does not answer than may, in one conversation and in all", async () => {
    const unreachable = { provider: "live-agent", settings: { baseUrl: "http://127.0.0.1:9", accountId: 1, inboxId: 1, apiKey: "key" } };
    host = await startTestHost({
      root: { limits: { waitingMessages: 2, waitingMessagesInAll: 3 }, connections: { away: unreachable } },
      endpoints: [{ ...supportEndpoint, bot: "none", handover: { connections: ["away"] } }],
    });
    for (const conversation of ["a", "b"]) await host.runtime.requestHandover({ endpoint: "support", conversation });
    const answers = [];
    for (const [name, id] of [
      ["a", 1],
      ["a", 2],
      ["a", 3],
      ["b", 1],
      ["b", 2],
    ] as const)
      answers.push(await write(host.conversation(name), id));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 429, 202, 503]);
    expect(answers[2]).toMatchObject({ json: { code: "TOO_MANY_WAITING" } });
    expect(answers[4]).toMatchObject({ json: { code: "OVERLOADED" } });
    for (const { headers } of [answers[2]!, answers[4]!]) expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });

  test("should be limited per address and per endpoint where that is configured", async () => {
    const byAddress = await start({ perAddress: { messages: 2, seconds: 60 } });
    expect((await write(byAddress.conversation("a"), 1)).status).toBe(202);
    expect((await write(byAddress.conversation("b"), 1)).status).toBe(202);
    expect((await write(byAddress.conversation("c", "other"), 1)).status).toBe(429);
    await byAddress.stop();
    const byEndpoint = await start({ perEndpoint: { messages: 2, seconds: 60 } });
    expect((await write(byEndpoint.conversation("a"), 1)).status).toBe(202);
    expect((await write(byEndpoint.conversation("b"), 1)).status).toBe(202);
    expect((await write(byEndpoint.conversation("c"), 1)).status).toBe(429);
    expect((await write(byEndpoint.conversation("c", "other"), 1)).status).toBe(202);
  });

  test("should believe X-Forwarded-For from trusted proxies only", async () => {
    const from = (url: string, address: string, id: number) =>
      send("POST", `${url}/messages`, { id: String(id), text: "x" }, { "x-forwarded-for": address });
    const distrusting = await start({ perAddress: { messages: 1, seconds: 60 } });
    expect((await from(distrusting.conversation("a"), "203.0.113.1", 1)).status).toBe(202);
    expect((await from(distrusting.conversation("a"), "203.0.113.2", 2)).status).toBe(429);
    await distrusting.stop();
    host = await startTestHost({
      root: { limits: { perAddress: { messages: 1, seconds: 60 } }, listen: { port: 0, trustedProxies: ["127.0.0.1"] } },
    });
    expect((await from(host.conversation("a"), "203.0.113.1", 1)).status).toBe(202);
    expect((await from(host.conversation("a"), "203.0.113.2", 2)).status).toBe(202);
  });

  test("should not be used up by typing", async () => {
    const { conversation } = await start({ perConversation: { messages: 3, seconds: 60 } });
    const url = conversation("a");
    const typing = await Promise.all(Array.from({ length: 5 }, () => send("POST", `${url}/typing`, { isTyping: true })));
    expect(typing.filter(({ status }) => status === 429)).toHaveLength(2);
    expect((await write(url, 1)).status).toBe(202);
  });
});

describe("bodies", () => {
  test("should be as large as configured", async () => {
    const { conversation, url } = await start({ jsonBytes: 1_024, webhookBytes: 2_048, messageCharacters: 10 });
    expect((await send("POST", `${conversation("a")}/messages`, { id: "1", text: "x".repeat(1_100) })).json["code"]).toBe("BODY_TOO_LARGE");
    expect((await send("POST", `${conversation("a")}/messages`, { id: "1", text: "x".repeat(11) })).json["code"]).toBe("MESSAGE_TOO_LONG");
    expect((await send("POST", `${url}/handover/live-agent/desk/x`, "x".repeat(2_049))).status).toBe(413);
  });
});

describe("the limiter", () => {
  test("should let through again when the window is over, and say how long that takes", () => {
    let nowMs = 0;
    const limiter = createRateLimiter({ messages: 2, seconds: 10 }, () => nowMs);
    expect([limiter.take("a"), limiter.take("a"), limiter.take("a"), limiter.take("b")]).toEqual([0, 0, 10_000, 0]);
    nowMs = 9_999;
    expect(limiter.take("a")).toBe(1);
    nowMs = 10_000;
    expect(limiter.take("a")).toBe(0);
  });

  test("should remember the busy ones while a flood of others passes, up to its bound", () => {
    const limiter = createRateLimiter({ messages: 1, seconds: 10 }, () => 0);
    limiter.take("busy");
    for (let i = 0; i < 9_999; i += 1) limiter.take(`other ${i}`);
    expect(limiter.take("busy")).toBe(10_000);
    for (let i = 0; i < 10_000; i += 1) limiter.take(`more ${i}`);
    expect(limiter.take("other 0")).toBe(0);
  });
});
