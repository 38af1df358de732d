import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HandoverError } from "@handover/core";
import type { BotTurn } from "@handover/runtime";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { marked } from "../../test/support/test-configuration.ts";
import { readBotAnswer } from "./http-bot-answer.ts";
import { createHttpBot } from "./http-bot.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let url: string;
let handle: Handler;
const dispatcher = new Agent();
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += String(chunk)));
    request.once("end", () => handle(request, response, body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/turn`;
});
afterEach(() => server.closeAllConnections());
afterAll(async () => {
  await dispatcher.destroy();
  server.close();
});

const turn: BotTurn = {
  id: "turn-1",
  endpoint: "support",
  conversation: "c 😀",
  user: { id: "u", isVerified: true },
  message: { id: "m", author: { role: "user" }, text: "Grüße", sentAt: "2026-01-01T00:00:00Z" },
};
const signal = new AbortController().signal;
const bot = (options = {}) => createHttpBot({ url, secret: marked.botSecret }, { dispatcher, now: () => 1_800_000_000_500, ...options });
const answerWith = (body: unknown, status = 200): void => {
  handle = (_request, response) => response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
};
const failure = async (promise: Promise<unknown>): Promise<HandoverError> => {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!HandoverError.isInstance(error)) throw new Error(`no HandoverError but ${String(error)}`);
  return error;
};

describe("the request", () => {
  test("should be a signed POST of the turn, without the secret [F113 outgoing callbacks carry an HMAC and a time]", async () => {
    let seen: { method?: string | undefined; headers: IncomingMessage["headers"]; body: string } | undefined;
    handle = (request, response, body) => {
      seen = { method: request.method, headers: request.headers, body };
      response.end("{}");
    };
    await bot().answer(turn, { signal });
    expect(seen?.method).toBe("POST");
    expect(JSON.parse(seen?.body ?? "")).toEqual(turn);
    const v1 = createHmac("sha256", marked.botSecret)
      .update(`1800000000.${seen?.body ?? ""}`)
      .digest("hex");
    expect(seen?.headers["x-handover-signature"]).toBe(`t=1800000000,v1=${v1}`);
    expect(JSON.stringify(seen)).not.toContain("MARKED");
  });

  test("should carry an event instead of a message", async () => {
    let seen = "";
    handle = (_request, response, body) => {
      seen = body;
      response.end("{}");
    };
    await bot().answer({ id: "t", endpoint: "e", conversation: "c", event: { type: "ended", reason: "completed" } }, { signal });
    expect(JSON.parse(seen)).toEqual({ id: "t", endpoint: "e", conversation: "c", event: { type: "ended", reason: "completed" } });
  });

  test("should follow no redirect", async () => {
    handle = (request, response) => response.writeHead(request.url === "/turn" ? 302 : 200, { location: "/other" }).end("{}");
    expect((await failure(bot().answer(turn, { signal }))).code).toBe("BOT_REFUSED");
  });

  test("should go for the events that are configured", () => {
    expect(createHttpBot({ url, secret: "x", name: "Bo", events: ["queued", "ended"] })).toMatchObject({
      name: "Bo",
      events: ["queued", "ended"],
    });
    expect(createHttpBot({ url, secret: "x" }).events).toBeUndefined();
  });
});

describe("the answer", () => {
  test("should be handed on, with what is unknown left out", async () => {
    answerWith({
      messages: [{ text: "Hi", format: "markdown", mood: "good" }, { choices: [{ id: "y", title: "Yes", payload: "YES_1" }] }],
      handover: { options: { priority: "high" }, summary: "wants a person" },
      endHandover: true,
      debug: "x",
    });
    expect(await bot().answer(turn, { signal })).toEqual({
      messages: [{ text: "Hi", format: "markdown" }, { choices: [{ id: "y", title: "Yes", payload: "YES_1" }] }],
      handover: { options: { priority: "high" }, summary: "wants a person" },
      endHandover: true,
    });
  });

  test("should say what a timer may be, and hand on what a bot may say during a handover", async () => {
    expect(() => readBotAnswer(JSON.stringify({ inactivityTimer: { minutes: 60_000 } }))).toThrow(
      /at most 10080 \(7 days\)\. The unit is minutes/,
    );
    const during = {
      messages: [{ text: "Still there?", destination: "user-only" }],
      inactivityTimer: { minutes: 2.5 },
      endHandover: true,
      closeHandoverInProvider: false,
    };
    answerWith(during);
    expect(await bot().answer(turn, { signal })).toEqual(during);
  });

  test.each([
    ["{}", 200],
    ["", 204],
    ["  ", 200],
  ])("should be nothing for %j with %i", async (body, status) => {
    answerWith(body, status);
    expect(await bot().answer(turn, { signal })).toEqual({});
  });

  test.each([
    ["a status", "{}", 500, "BOT_REFUSED"],
    ["a refusal", "{}", 401, "BOT_REFUSED"],
    ["no JSON", "<html>", 200, "BOT_ANSWER_INVALID"],
    ["a list", "[]", 200, "BOT_ANSWER_INVALID"],
    ["a text that is none", { messages: [{ text: 5 }] }, 200, "BOT_ANSWER_INVALID"],
    ["too many messages", { messages: Array(51).fill({ text: "x" }) }, 200, "BOT_ANSWER_INVALID"],
    ["a picture that is a script", { messages: [{ cards: [{ imageUrl: "javascript:alert(1)" }] }] }, 200, "BOT_ANSWER_INVALID"],
    ["a timer in another unit", { inactivityTimer: { minutes: 60_000 } }, 200, "BOT_ANSWER_INVALID"],
    ["a destination that is none", { messages: [{ text: "x", destination: "everybody" }] }, 200, "BOT_ANSWER_INVALID"],
    ["too much", " ".repeat(300_000), 200, "BOT_ANSWER_TOO_LARGE"],
  ])("should be an error with a code for %s", async (_case, body, status, code) => {
    answerWith(body, status);
    const error = await failure(bot().answer(turn, { signal }));
    expect(error).toMatchObject({ code, isRetryable: true });
    expect(error.message).not.toMatch(/MARKED|Grüße|html/);
  });

  test("should be given in time", async () => {
    handle = () => undefined;
    expect((await failure(bot({ answerWithinMs: 30 }).answer(turn, { signal }))).code).toBe("BOT_TIMEOUT");
    handle = (_request, response) => response.write("{");
    expect((await failure(bot({ answerWithinMs: 30 }).answer(turn, { signal }))).code).toBe("BOT_TIMEOUT");
    expect((await failure(bot().answer(turn, { signal: AbortSignal.abort() }))).code).toBe("BOT_TIMEOUT");
  });

  test("should be an error when nobody is there, or the connection breaks", async () => {
    const nobody = createHttpBot({ url: "http://127.0.0.1:1/", secret: marked.botSecret }, { dispatcher });
    expect((await failure(nobody.answer(turn, { signal }))).code).toBe("BOT_UNREACHABLE");
    handle = (request) => request.socket.destroy();
    expect((await failure(bot().answer(turn, { signal }))).code).toBe("BOT_UNREACHABLE");
  });
});
