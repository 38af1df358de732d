import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entriesOf, openEvents, readUntil } from "./support/read-events.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({
    root: { limits: { perConversation: { messages: 1_000, seconds: 10 } } },
    endpoints: [supportEndpoint, { token: "alone", access: "open", bot: { demo: {} } }],
  });
});
afterAll(() => host.stop());

let count = 0;
const newId = () => `conversation ${(count += 1)}`;
const problem = (status: number, code: string) => ({ status, json: expect.objectContaining({ status, code }) as unknown });

describe("GET /endpoints/{token}", () => {
  test("should tell what a client needs to know and nothing else", async () => {
    expect((await send("GET", `${host.url}/endpoints/support`)).json).toEqual({
      token: "support",
      title: "Support",
      access: "open",
      handover: true,
    });
    expect((await send("GET", `${host.url}/endpoints/alone`)).json).toEqual({ token: "alone", access: "open", handover: false });
  });
});

describe("POST .../messages", () => {
  test("should answer 202 with the seq once the message is committed", async () => {
    const url = host.conversation(newId());
    expect(await send("POST", `${url}/messages`, { id: "m1", text: "Hello" })).toMatchObject({ status: 202, json: { seq: 1 } });
    const entries = await readUntil(url, ({ author }) => author?.role === "bot");
    expect(entries[0]).toMatchObject({ seq: 1, id: "m1", kind: "message", author: { role: "user" }, text: "Hello" });
    expect(entries[1]).toMatchObject({ seq: 2, author: { role: "bot" } });
  });

  test("should take what a user says of itself without an id", async () => {
    const id = newId();
    const url = host.conversation(id);
    expect((await send("POST", `${url}/messages`, { id: "m1", text: "Hello", user: { name: "Ann" } })).status).toBe(202);
    const [entry] = await readUntil(url, ({ author }) => author?.role === "user");
    expect(entry).toMatchObject({ author: { role: "user", id: expect.stringMatching(/^visitor-/) as string, name: "Ann" } });
    expect(JSON.stringify(entry)).not.toContain(id);
  });

  test("should give the same answer for the same id and relay the message once (server side) [F026]", async () => {
    const url = host.conversation(newId());
    await send("POST", `${url}/messages`, { id: "ask", text: "agent" });
    await readUntil(url, ({ status }) => status === "queued");
    const message = { id: "same", text: "Once, please" };
    const answers = await Promise.all([1, 2, 3].map(() => send("POST", `${url}/messages`, message)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await send("POST", `${url}/messages`, { id: "after", text: "After it" });
    const conversations = await host.desk.waitFor((all) => all.some(({ messages }) => messages.some(({ text }) => text === "After it")));
    const texts = conversations.flatMap(({ messages }) => messages.map(({ text }) => text));
    expect(texts.filter((text) => text === "Once, please")).toHaveLength(1);
  });

  test("should start a handover on the very first message, and that message is in the transcript [F046]", async () => {
    const url = host.conversation(newId());
    await send("POST", `${url}/messages`, { id: "first", text: "Human number 46, please" });
    await readUntil(url, ({ status }) => status === "queued");
    const conversations = await host.desk.waitFor((all) => all.some(({ messages }) => messages[0]?.text === "Human number 46, please"));
    expect(conversations.filter(({ messages }) => messages[0]?.text === "Human number 46, please")).toHaveLength(1);
  });

  test.each([
    ["malformed JSON", "{", 400, "INVALID_JSON"],
    ["no JSON object", "[]", 400, "INVALID_BODY"],
    ["null", "null", 400, "INVALID_BODY"],
    ["an empty body", "", 400, "INVALID_BODY"],
    ["no id", { text: "x" }, 400, "INVALID_BODY"],
    ["an id that is a number", { id: 5, text: "x" }, 400, "INVALID_BODY"],
    ["an empty id", { id: "", text: "x" }, 400, "INVALID_BODY"],
    ["an id of 129 characters", { id: "x".repeat(129), text: "x" }, 400, "INVALID_BODY"],
    ["an unknown key", { id: "1", txet: "x" }, 400, "INVALID_BODY"],
    ["a prototype", '{"id":"1","text":"x","__proto__":{"a":1}}', 400, "INVALID_JSON"],
    ["a user who claims to be verified", { id: "1", text: "x", user: { id: "u", isVerified: true } }, 400, "INVALID_BODY"],
    ["neither text nor answer", { id: "1" }, 400, "MESSAGE_EMPTY"],
    ["only white space", { id: "1", text: " \n\t" }, 400, "MESSAGE_EMPTY"],
    ["a text that is too long", { id: "1", text: "x".repeat(20_001) }, 413, "MESSAGE_TOO_LONG"],
    ["a body that is too large", { id: "1", text: "x".repeat(70_000) }, 413, "BODY_TOO_LARGE"],
    ["a file that nobody sent", { id: "1", text: "x", attachments: ["a"] }, 400, "UNKNOWN_ATTACHMENT"],
    ["a file that is no id", { id: "1", text: "x", attachments: [{ id: "a" }] }, 400, "INVALID_BODY"],
  ])("should refuse %s", async (_case, body, status, code) => {
    const url = host.conversation(newId());
    const answer = await send("POST", `${url}/messages`, body);
    expect(answer).toMatchObject(problem(status, code));
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(Object.keys(answer.json)).toEqual(["type", "title", "status", "code", "detail"]);
    expect(answer.text).not.toMatch(/\bat .*:\d|node_modules|\.ts/);
  });

  test("should say what is wrong in a body, with the nearest known key", async () => {
    const { json } = await send("POST", `${host.conversation(newId())}/messages`, { id: 5, txt: "x" });
    expect(json["detail"]).toMatch(/id: .*string.*txt: unknown key "txt"\. Did you mean "text"\?/s);
  });

  test("should refuse other kinds of bodies", async () => {
    const url = `${host.conversation(newId())}/messages`;
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      expect(await send("POST", url, '{"id":"1","text":"x"}', { "content-type": type })).toMatchObject(
        problem(415, "UNSUPPORTED_MEDIA_TYPE"),
      );
    }
  });
});

describe("conversation ids", () => {
  const longest = "😀".repeat(256);

  test.each(["a/b", "a%2Fb", "-_=.~!*'()", "ü ß 漢字 😀", "a..b", "?#&;", "undefined", "__proto__", "line\nbreak", longest])(
    "should carry %j through every URL (channel API) [F093]",
    async (id) => {
      const url = host.conversation(id);
      expect((await send("POST", `${url}/messages`, { id: "m", text: "Hello" })).status).toBe(202);
      const entries = await readUntil(url, ({ author }) => author?.role === "bot");
      expect(entries.map(({ seq }) => seq)).toEqual([1, 2]);
      expect((await send("POST", `${url}/typing`, { isTyping: true })).status).toBe(204);
    },
  );

  test("should keep conversations apart whose ids look alike", async () => {
    for (const [index, id] of ["x/y", "x%2Fy", "x%252Fy"].entries()) {
      expect((await send("POST", `${host.conversation(id)}/messages`, { id: "m", text: String(index) })).json).toEqual({ seq: 1 });
    }
  });

  test.each([
    ["257 characters", encodeURIComponent("x".repeat(257))],
    ["257 characters outside the first plane", encodeURIComponent("😀".repeat(257))],
    ["a broken percent sign", "%E0%A4%A"],
    ["bytes that are no UTF-8", "%FF%FE"],
    ["nothing", ""],
  ])("should refuse an id of %s with 400 and keep nothing [F093 a message without session id]", async (_case, encoded) => {
    const answer = await rawRequest(host.url, `/endpoints/support/conversations/${encoded}/messages`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("application/problem+json");
  });
});

/** Sends the path as it is: fetch would mend it. */
function rawRequest(baseUrl: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = '{"id":"1","text":"x"}';
    const socket = connect(Number(new URL(baseUrl).port), "127.0.0.1", () => {
      socket.end(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk) => (answer += String(chunk)));
    socket.once("end", () => resolve(answer)).once("error", reject);
  });
}

describe("handover", () => {
  test("should start one, keep the one that runs, and end it as cancelled", async () => {
    const url = host.conversation(newId());
    const first = await send("POST", `${url}/handover`);
    expect(first.status).toBe(202);
    expect(await send("POST", `${url}/handover`, {})).toMatchObject({ status: 202, json: first.json });
    await readUntil(url, ({ status }) => status === "queued");
    expect((await send("DELETE", `${url}/handover`)).status).toBe(202);
    expect((await readUntil(url, ({ status }) => status === "ended")).at(-1)).toMatchObject({ status: "ended", reason: "cancelled" });
    expect(await send("DELETE", `${url}/handover`)).toMatchObject(problem(404, "NO_HANDOVER"));
  });

  test("should end an active one as completed", async () => {
    const id = newId();
    const url = host.conversation(id);
    await send("POST", `${url}/messages`, { id: "m", text: "A representative for the active one" });
    const [conversation] = (await host.desk.waitFor((all) => all.some(({ messages }) => messages[0]?.text.includes("active one")))).filter(
      ({ messages }) => messages[0]?.text.includes("active one"),
    );
    host.desk.say(conversation?.id ?? "", { text: "Here I am" });
    await readUntil(url, ({ status }) => status === "active");
    await send("DELETE", `${url}/handover`);
    expect((await readUntil(url, ({ status }) => status === "ended")).at(-1)).toMatchObject({ reason: "completed" });
  });

  test("should take only options that the endpoint lets a client set", async () => {
    const url = host.conversation(newId());
    const refused = await send("POST", `${url}/handover`, { options: { inboxId: "7" } });
    expect(refused).toMatchObject(problem(400, "OPTION_NOT_ALLOWED"));
    expect(refused.json["detail"]).toContain("priority");
    expect(await send("POST", `${url}/handover`, { options: { priority: "no such" } })).toMatchObject(problem(400, "INVALID_OPTIONS"));
    expect((await send("POST", `${url}/handover`, { options: { priority: "high" } })).status).toBe(202);
  });

  test("should be refused with a reason where nobody is behind the endpoint, and the bot goes on [F170]", async () => {
    const url = host.conversation(newId(), "alone");
    expect(await send("POST", `${url}/handover`)).toMatchObject(problem(409, "HANDOVER_NOT_CONFIGURED"));
    await send("POST", `${url}/messages`, { id: "1", text: "agent" });
    await send("POST", `${url}/messages`, { id: "2", text: "Are you there?" });
    const entries = await readUntil(url, ({ author, seq }) => author?.role === "bot" && seq > 2);
    expect(entries.at(-1)?.text).toContain("demo bot");
  });

  test.each([
    ["options that are no map", { options: [] }],
    ["an unknown key", { option: {} }],
  ])("should refuse %s", async (_case, body) => {
    expect(await send("POST", `${host.conversation(newId())}/handover`, body)).toMatchObject(problem(400, "INVALID_BODY"));
  });
});

describe("typing", () => {
  test("should answer 204 and refuse what is no typing", async () => {
    const url = host.conversation(newId());
    expect(await send("POST", `${url}/typing`, { isTyping: true })).toMatchObject({ status: 204, text: "" });
    expect(await send("POST", `${url}/typing`, { isTyping: "yes" })).toMatchObject(problem(400, "INVALID_BODY"));
  });

  test("should run no bot and make no entry [F137 typing]", async () => {
    const url = host.conversation(newId());
    for (let i = 0; i < 5; i += 1) await send("POST", `${url}/typing`, { isTyping: i % 2 === 0 });
    await send("POST", `${url}/messages`, { id: "1", text: "Now" });
    const entries = await readUntil(url, ({ author }) => author?.role === "bot");
    expect(entries.map(({ author }) => author?.role)).toEqual(["user", "bot"]);
  });
});

describe("what does not exist", () => {
  test.each([
    ["GET", "/nothing", "ROUTE_NOT_FOUND"],
    ["GET", "/", "ROUTE_NOT_FOUND"],
    ["PUT", "/endpoints/support", "ROUTE_NOT_FOUND"],
    ["GET", "/endpoints/support/conversations/c", "ROUTE_NOT_FOUND"],
    ["GET", "/endpoints/none", "ENDPOINT_NOT_FOUND"],
    ["POST", "/endpoints/none/conversations/c/handover", "ENDPOINT_NOT_FOUND"],
    ["DELETE", "/endpoints/none/conversations/c/handover", "ENDPOINT_NOT_FOUND"],
    ["GET", "/endpoints/none/conversations/c/events", "ENDPOINT_NOT_FOUND"],
    ["POST", "/endpoints/support/conversations/c/access", "ACCESS_IS_OPEN"],
  ])("should be 404 with a code: %s %s", async (method, path, code) => {
    expect(await send(method, `${host.url}${path}`)).toMatchObject(problem(404, code));
  });
});

describe("pages of other origins", () => {
  const origin = "https://www.example.com";

  test("should be let in when the endpoint allows them, errors and events included", async () => {
    const url = host.conversation(newId());
    for (const answer of [
      await send("POST", `${url}/messages`, { id: "1", text: "x" }, { origin }),
      await send("POST", `${url}/messages`, { id: "1" }, { origin }),
      await send("GET", `${host.url}/endpoints/support`, undefined, { origin }),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("vary")).toBe("Origin");
    }
    const reader = await openEvents(`${url}/events`, { origin });
    expect(reader.response.headers.get("access-control-allow-origin")).toBe(origin);
    reader.close();
  });

  test("should have their preflight answered", async () => {
    const response = await fetch(`${host.conversation("a/b")}/messages`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-methods")).toContain("DELETE");
    expect(response.headers.get("access-control-allow-headers")).toContain("Content-Type");
  });

  test.each(["https://evil.example", "null", "https://www.example.com.evil.example", "http://www.example.com"])(
    "should not be let in from %s",
    async (other) => {
      const answer = await send("GET", `${host.url}/endpoints/support`, undefined, { origin: other });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      const preflight = await fetch(`${host.url}/endpoints/support`, { method: "OPTIONS", headers: { origin: other } });
      expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
    },
  );
});

test("should send entries that follow each other without a hole", async () => {
  const url = host.conversation(newId());
  for (let i = 0; i < 5; i += 1) await send("POST", `${url}/messages`, { id: String(i), text: `Message ${i}` });
  const reader = await openEvents(`${url}/events`);
  const entries = entriesOf(await reader.until((events) => entriesOf(events).length === 10));
  reader.close();
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
