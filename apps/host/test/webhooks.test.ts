import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import type { HandoverRuntime } from "@handover/runtime";
import { createServer } from "../src/server/server.ts";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, type TestHost } from "./support/test-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ root: { limits: { perConversation: { messages: 1_000, seconds: 10 } } } });
});
afterAll(() => host.stop());

const wellFormed = JSON.stringify({ event: "conversation_typing_on", id: 1 });
const { webhookSecret } = marked;

const post = (path: string, body: string = wellFormed) => send("POST", `${host.url}${path}`, body);

describe("the address", () => {
  test.each([
    `/handover/live-agent/desk/${webhookSecret}`,
    `/handover/liveagent/desk/${webhookSecret}`,
    `/handover/LiveAgent/desk/${webhookSecret}`,
    `/handover/LIVE-AGENT/desk/${webhookSecret}/`,
    `/handover/live-agent/desk/${webhookSecret}?source=vendor`,
  ])("should be taken in another case, without dashes and with a final slash: %s [F173 webhook path]", async (path) => {
    expect((await post(path)).status).toBe(200);
  });

  test.each([
    ["without a secret", "/handover/live-agent/desk"],
    ["without a secret, with a slash", "/handover/live-agent/desk/"],
    ["with a wrong secret", "/handover/live-agent/desk/wrong"],
    ["with the secret in another case", `/handover/live-agent/desk/${webhookSecret.toLowerCase()}`],
    ["with the secret as a query", `/handover/live-agent/desk?secret=${webhookSecret}`],
    ["with an unknown connection", `/handover/live-agent/none/${webhookSecret}`],
    ["with another provider", `/handover/liveperson/desk/${webhookSecret}`],
    ["with the connection's name in another case", `/handover/live-agent/Desk/${webhookSecret}`],
  ])("should look the same whatever is wrong: %s [F103 wrong path secret]", async (_case, path) => {
    const answer = await post(path);
    expect(answer.status).toBe(401);
    expect(answer.text).toBe((await post("/handover/live-agent/desk/other")).text);
  });

  test("should be a POST", async () => {
    expect((await send("GET", `${host.url}/handover/live-agent/desk/${webhookSecret}`)).status).toBe(404);
  });
});

describe("a refused webhook", () => {
  test("should change nothing [F103 change nothing]", async () => {
    const url = host.conversation("forged");
    await send("POST", `${url}/messages`, { id: "1", text: "Agent against forgery, please" });
    await readUntil(url, ({ status }) => status === "queued");
    const all = await host.desk.waitFor((some) => some.some(({ messages }) => messages[0]?.text.includes("forgery")));
    const mine = all.find(({ messages }) => messages[0]?.text.includes("forgery"));
    const forged = JSON.stringify({
      event: "message_created",
      id: 9_999_999,
      content: "Forged",
      message_type: "outgoing",
      private: false,
      sender: { id: 2, name: "Mallory", type: "user" },
      conversation: { id: Number(mine?.id), status: "open" },
      account: { id: 1 },
      inbox: { id: 1 },
    });
    expect((await post("/handover/live-agent/desk/wrong", forged)).status).toBe(401);
    host.desk.say(mine?.id ?? "", { text: "Genuine" });
    const entries = await readUntil(url, ({ text }) => text === "Genuine");
    expect(entries.map(({ text }) => text)).not.toContain("Forged");
  });
});

describe("the body", () => {
  test("should reach the runtime as the bytes that came, whatever its type [F104 handlers get the raw bytes]", async () => {
    const body = ' {"text":"Grüße 😀 \u2028 \\/ ","b":1,  "a":2}\r\n';
    for (const type of ["application/json", "text/plain", "application/octet-stream", "application/json; charset=iso-8859-1"]) {
      let seen: Uint8Array | undefined;
      const server = await serverWith({
        handleWebhook: async (_connection, request) => {
          seen = new Uint8Array(await request.arrayBuffer());
          return new Response(null, { status: 200 });
        },
      });
      await server.inject({ method: "POST", url: "/handover/live-agent/desk/x", headers: { "content-type": type }, payload: body });
      await server.close();
      expect(Buffer.from(seen ?? []).toString("utf8")).toBe(body);
    }
  });

  test("should be taken without a content type, and may be empty", async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${host.url}/handover/live-agent/desk/${webhookSecret}`, { method: "POST" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once("error", reject).end(wellFormed);
    });
    expect(status).toBe(200);
    expect((await post(`/handover/live-agent/desk/${webhookSecret}`, "")).status).toBe(400);
  });
});

describe("each kind of problem", () => {
  test("should have its own status, and an event for an unknown conversation is fine [F126]", async () => {
    const path = `/handover/live-agent/desk/${webhookSecret}`;
    const unknown = JSON.stringify({
      event: "message_created",
      id: 424_242,
      content: "Hello",
      message_type: "outgoing",
      private: false,
      conversation: { id: 424_242, status: "open" },
      account: { id: 1 },
      inbox: { id: 1 },
    });
    expect((await post("/handover")).status).toBe(404);
    expect((await post(path, "no JSON")).status).toBe(400);
    expect((await post("/handover/live-agent/desk/wrong")).status).toBe(401);
    expect((await post(path, JSON.stringify({ text: "x".repeat(1_100_000) }))).status).toBe(413);
    expect((await post(path, unknown)).status).toBe(200);
    const server = await serverWith({ handleWebhook: async () => Response.json({ code: "STORE_FAILED" }, { status: 503 }) });
    const down = await server.inject({ method: "POST", url: path, payload: "{}" });
    await server.close();
    expect(down).toMatchObject({
      statusCode: 503,
      headers: { "retry-after": "1", "content-type": "application/problem+json; charset=utf-8" },
    });
  });

  test("should hand on the answer that a provider asks for", async () => {
    const server = await serverWith({
      handleWebhook: async () => new Response("challenge", { status: 201, headers: { "x-vendor": "yes" } }),
    });
    const answer = await server.inject({ method: "POST", url: "/handover/live-agent/desk/x", payload: "{}" });
    await server.close();
    expect(answer).toMatchObject({ statusCode: 201, body: "challenge" });
    expect(answer.headers["x-vendor"]).toBe("yes");
  });

  test("should answer 5xx when nothing was written [F003 when the inbox write fails]", async () => {
    const server = await serverWith({
      handleWebhook: async () => {
        throw new Error(`disk full at ${marked.webhookSecret}`);
      },
    });
    const answer = await server.inject({ method: "POST", url: `/handover/live-agent/desk/${webhookSecret}`, payload: "{}" });
    await server.close();
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("MARKED");
  });
});

/** The same routes before a runtime that behaves differently in one thing. */
function serverWith(changes: Partial<HandoverRuntime>): Promise<FastifyInstance> {
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  return createServer({ configuration: host.configuration, runtime: { ...host.runtime, ...changes }, logger });
}

test("should keep webhook secrets out of the logs [F112 webhook URLs are logged without the secret]", () => {
  expect(host.logLines.join("\n")).not.toContain("MARKED");
});
