import { describe, expect, test } from "vitest";
import type { EightbyeightBench, Wire } from "./eightbyeight-harness.ts";
import { brief, embedded, startEightbyeight } from "./eightbyeight-harness.ts";
import { createManualClock } from "./harness.ts";

const card = { contentType: "application/8x8.quick.replies", content: { options: [{ title: "Yes", data: { postback: "yes" } }] } };

async function startConversation(...parameters: Parameters<typeof startEightbyeight>): Promise<EightbyeightBench & { id: string }> {
  const bench = await startEightbyeight(...parameters);
  const id = await bench.converse();
  await bench.told();
  return { ...bench, id };
}

describe("sending messages", () => {
  test("should answer 202 without a body and echo the line", async () => {
    const { api, told, id, simulator } = await startConversation();
    for (const authorType of ["user", "bot"]) {
      const answer = await api("POST", `/conversations/${id}/messages`, { authorType, text: `I am the ${authorType}` });
      expect([answer.status, answer.text]).toEqual([202, ""]);
    }
    expect((await told()).map(({ eventType, data }) => [eventType, data])).toEqual([
      ["MESSAGE", { isEcho: false, sender: { id: expect.any(String) as string, type: "user" }, text: "I am the user" }],
      ["MESSAGE", { isEcho: true, sender: { id: expect.any(String) as string, type: "bot" }, text: "I am the bot" }],
    ]);
    expect(simulator.conversation(id).messages.map(({ author, text }) => [author, text])).toEqual([
      ["user", "I am the user"],
      ["bot", "I am the bot"],
    ]);
  });

  test("should mark the user's echo as one, when told to", async () => {
    const { api, told, id } = await startConversation({}, { userEchoIsEcho: true });
    await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Hi" });
    expect(await told()).toEqual([expect.objectContaining({ data: expect.objectContaining({ isEcho: true }) as object })]);
  });

  test("should keep cards, messages of another network, and a message with nothing in it", async () => {
    const { api, told, id } = await startConversation();
    const externalProvider = { name: "X", externalMessageId: "1" };
    await api("POST", `/conversations/${id}/messages`, { authorType: "bot", cards: [card] });
    await api("POST", `/conversations/${id}/messages`, { authorType: "user", externalProvider });
    await api("POST", `/conversations/${id}/messages`, { authorType: "user" });
    expect(await told()).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ cards: [card] }) as object }),
      expect.objectContaining({ data: { isEcho: false, sender: expect.any(Object) as object } }),
      expect.objectContaining({ data: { isEcho: false, sender: expect.any(Object) as object } }),
    ]);
    const [empty, external, withCard] = embedded(await api("GET", `/conversations/${id}/messages`), "messages");
    expect(empty).not.toHaveProperty("text");
    expect(external).toMatchObject({ externalProvider });
    const [listed] = embedded(await api("GET", `/conversations/${id}/messages/${String(withCard?.["id"])}/cards`), "cards");
    expect(listed).toEqual({ ...card, id: expect.any(String) as string, actionSubmitted: false, actionExecuted: false });
  });

  test.each([
    { text: "x" },
    { authorType: "agent", text: "x" },
    { authorType: "customer", text: "x" },
    { authorType: "user", text: null },
    { authorType: "user", text: 5 },
    { authorType: "user", attachments: [{ id: "unknown" }] },
    { authorType: "user", cards: [{ contentType: "x" }] },
    { authorType: "user", text: "x", externalProvider: { name: "X" } },
    [],
  ])("should refuse %j with one object in errors", async (body) => {
    const { api, told, id, simulator } = await startConversation();
    const answer = await api("POST", `/conversations/${id}/messages`, JSON.stringify(body));
    expect([answer.status, answer.json]).toEqual([
      400,
      {
        message: expect.any(String) as string,
        errors: { code: "invalid_json_object", message: expect.any(String) as string },
        referenceId: expect.any(String) as string,
      },
    ]);
    expect(simulator.conversation(id).messages).toEqual([]);
    expect(await told()).toEqual([]);
  });

  test("should refuse what is no JSON, and an unknown conversation", async () => {
    const { api, id } = await startConversation();
    expect((await api("POST", `/conversations/${id}/messages`, "{")).json["errors"]).toMatchObject({ code: "invalid_json_object" });
    const unknown = await api("POST", "/conversations/unknown/messages", { authorType: "user", text: "x" });
    expect([unknown.status, unknown.json["errors"]]).toEqual([404, [expect.any(String)]]);
  });
});

describe("reading messages", () => {
  test("should list the newest first, 20 on a page, under ids that no webhook names", async () => {
    const clock = createManualClock();
    const { api, id, receiver, simulator } = await startConversation({}, {}, clock);
    for (let index = 0; index < 25; index += 1) {
      if (index % 2 === 0) clock.advance(1);
      await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: `line ${index}` });
    }
    const textsOf = (messages: readonly Wire[]): unknown[] => messages.map(({ text }) => text);
    const expected = Array.from({ length: 25 }, (_, index) => `line ${24 - index}`);
    const first = await api("GET", `/conversations/${id}/messages`);
    expect(textsOf(embedded(first, "messages"))).toEqual(expected.slice(0, 20));
    expect(first.json["page"]).toEqual({ size: 20, number: 0, totalElements: 25, totalPages: 2 });
    expect(textsOf(embedded(await api("GET", `/conversations/${id}/messages?page=1`), "messages"))).toEqual(expected.slice(20));
    const ascending = await api("GET", `/conversations/${id}/messages?sort=createdAt:asc&size=100`);
    expect(textsOf(embedded(ascending, "messages"))).toEqual([...expected].reverse());

    const newest = embedded(first, "messages")[0] ?? {};
    expect(newest).toEqual({
      id: expect.any(String) as string,
      text: "line 24",
      createdAt: new Date(clock.now()).toISOString(),
      author: { id: expect.any(String) as string, type: "user", removed: false, language: "en" },
    });
    expect((await api("GET", `/conversations/${id}/messages/${String(newest["id"])}`)).json).toEqual(newest);
    expect((await api("GET", `/conversations/${id}/messages/unknown`)).status).toBe(404);
    await simulator.webhooksIdle();
    expect(receiver.received.map(({ raw, headers }) => raw + JSON.stringify(headers)).join("")).not.toContain(String(newest["id"]));
  });

  test("should list what agents said, for whoever missed the webhook", async () => {
    const { api, id, simulator } = await startConversation();
    simulator.setFaults({ dropWebhookRate: 1 });
    simulator.say(id, { text: "I am Ann" });
    const [line] = embedded(await api("GET", `/conversations/${id}/messages`), "messages");
    expect(line).toMatchObject({ text: "I am Ann", author: { type: "agent", removed: false } });
  });
});

describe("signals", () => {
  test.each([
    ["typing", { authorType: "user" }],
    ["thinking", { authorType: "bot", maxThinkingTimeSeconds: 600 }],
    ["thinking", undefined],
    ["read-receipt", { authorType: "user", readAt: 1_767_261_600_000 }],
  ])("should take %s with %j, leaving no line", async (signal, body) => {
    const { api, told, id, simulator } = await startConversation();
    const answer = await api("POST", `/conversations/${id}/${signal}`, body);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(await told()).toEqual([]);
    expect(simulator.conversation(id).messages).toEqual([]);
    expect(simulator.requests().at(-1)).toMatchObject({ path: expect.stringMatching(`/${signal}$`) as string, status: 204 });
  });

  test.each([
    ["typing", { authorType: "agent" }],
    ["typing", {}],
    ["thinking", { authorType: "user" }],
    ["thinking", { maxThinkingTimeSeconds: 601 }],
    ["read-receipt", { authorType: "user" }],
    ["read-receipt", { authorType: "user", readAt: "now" }],
  ])("should refuse %s with %j with a list in errors", async (signal, body) => {
    const { api, id } = await startConversation();
    const answer = await api("POST", `/conversations/${id}/${signal}`, body);
    expect([answer.status, answer.json]).toEqual([
      400,
      {
        message: expect.any(String) as string,
        errors: [{ code: "invalid_parameter", message: expect.any(String) as string }],
        referenceId: expect.any(String) as string,
      },
    ]);
  });

  test("should note the action of a card, outside the gateway's path", async () => {
    const { api, http, id, simulator } = await startConversation();
    await api("POST", `/conversations/${id}/messages`, { authorType: "bot", cards: [card] });
    const path = `/conversations/${id}/messages/${simulator.conversation(id).messages[0]?.id}/cards`;
    const [listed] = embedded(await api("GET", path), "cards");
    const act = (action: string, cardId = String(listed?.["id"])) =>
      http(
        "PUT",
        `/eightbyeight/api/v1/tenant/acme01/conversations/${id}/cards/${cardId}/${action}`,
        { name: "Yes" },
        { "x-api-key": simulator.apiKey },
      );
    expect((await act("action-submit")).status).toBe(204);
    expect(embedded(await api("GET", path), "cards")[0]).toMatchObject({ actionSubmitted: true, actionExecuted: false });
    expect((await act("action-execute")).status).toBe(204);
    expect(embedded(await api("GET", path), "cards")[0]).toMatchObject({ actionExecuted: true });
    const unknown = await act("action-submit", "unknown");
    expect([unknown.status, unknown.json["errors"]]).toEqual([404, [expect.objectContaining({ code: "resource_not_found" })]]);
  });
});

describe("attachments", () => {
  const bytes = new Uint8Array([0, 255, 10, 13, 45, 45, 200]);
  const fileName = "Grundriß 1.png";

  async function upload(bench: EightbyeightBench, id: string, authorType = "user"): Promise<{ status: number; json: Wire }> {
    const form = new FormData();
    form.append("attachment", new File([bytes], fileName, { type: "image/png" }));
    form.append("authorType", authorType);
    const response = await fetch(`${bench.simulator.baseUrl}/chat-gateway/v1/conversations/${id}/attachments`, {
      method: "POST",
      headers: { "x-api-key": bench.simulator.apiKey },
      body: form,
    });
    return { status: response.status, json: (await response.json()) as Wire };
  }

  async function bytesOf(response: Response): Promise<Uint8Array> {
    return new Uint8Array(await response.arrayBuffer());
  }

  test("should be uploaded, shown, sent with a message and read again", async () => {
    const bench = await startConversation();
    const { api, id, simulator } = bench;
    const { status, json } = await upload(bench, id);
    const attachmentId = String(json["id"]);
    expect([status, json]).toEqual([
      200,
      {
        id: expect.stringMatching(/^[\w-]{80,}$/) as string,
        filename: fileName,
        sizeInBytes: 7,
        createdAt: expect.stringMatching(/Z$/) as string,
      },
    ]);
    expect((await api("GET", `/conversations/${id}/attachments/${attachmentId}`)).json).toEqual(json);
    expect(embedded(await api("GET", `/conversations/${id}/attachments`), "attachments")).toEqual([json]);
    const sent = await api("POST", `/conversations/${id}/messages`, { authorType: "user", attachments: [{ id: attachmentId }] });
    expect(sent.status).toBe(202);
    expect(embedded(await api("GET", `/conversations/${id}/messages`), "messages")[0]).toMatchObject({
      attachments: [{ id: attachmentId }],
    });
    expect(simulator.conversation(id).messages).toEqual([
      expect.objectContaining({ text: "", attachments: [{ id: attachmentId, name: fileName, type: "image/png", sizeBytes: 7 }] }),
    ]);

    const path = `${simulator.baseUrl}/chat-gateway/v1/conversations/${id}/attachments/${attachmentId}/content`;
    const content = await fetch(path, { headers: { "x-api-key": simulator.apiKey } });
    expect([content.status, content.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    expect(content.headers.get("content-disposition")).toContain(`filename*=UTF-8''${encodeURIComponent(fileName)}`);
    expect(await bytesOf(content)).toEqual(bytes);
    expect((await fetch(path)).status).toBe(401);
    expect((await api("GET", `/conversations/${id}/attachments/unknown/content`)).status).toBe(404);
  });

  test("should be refused without an author or a file, the body being logged as its size only", async () => {
    const bench = await startConversation();
    const { api, id, simulator } = bench;
    expect((await upload(bench, id, "agent")).json["errors"]).toEqual([expect.objectContaining({ code: "invalid_parameter" })]);
    expect(simulator.requests().at(-1)?.body).toEqual({
      authorType: "agent",
      attachment: { name: fileName, type: "image/png", sizeBytes: 7 },
    });
    expect((await api("POST", `/conversations/${id}/attachments`, { authorType: "user", attachment: "x" })).status).toBe(400);
    expect((await api("POST", `/conversations/${id}/attachments`, "no form", { "content-type": "multipart/form-data" })).status).toBe(400);
  });

  test("should come from an agent with a pre-signed URL that needs no key and ends", async () => {
    const clock = createManualClock();
    const { id, simulator, told } = await startConversation({}, { preSignedUrlSeconds: 60 }, clock);
    simulator.say(id, { attachment: { name: fileName, type: "image/png", content: bytes } });
    const message = (await told()).at(-1)?.["data"] as { attachments: Wire[] };
    const [attachment = {}] = message.attachments;
    const url = String(attachment["preSignedUrl"]);
    expect(attachment).toEqual({ id: expect.any(String) as string, type: "image", preSignedUrl: url, fileName });
    const first = await fetch(url);
    expect([first.status, first.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(await bytesOf(first)).toEqual(bytes);
    expect(simulator.requests().at(-1)).toMatchObject({
      query: { signature: "***" },
      headers: expect.not.objectContaining({ "x-api-key": "***" }) as object,
    });
    expect((await fetch(url.replace(/expires=\d/, "expires=9"))).status).toBe(403);
    clock.advance(60_000);
    expect((await fetch(url)).status).toBe(403);
  });

  test("should come as an id alone, as before April 2026, when told to", async () => {
    const { id, simulator, told } = await startConversation({}, { hasPreSignedUrl: false });
    simulator.say(id, { text: "See", attachment: { name: "a.txt", type: "text/plain", content: "aGk=" } });
    expect((await told()).at(-1)).toMatchObject({ data: { text: "See", attachments: [{ id: expect.any(String) as string }] } });
  });

  test.each([
    ["video/mp4", "video"],
    ["audio/ogg", "audio"],
    ["application/pdf", "file"],
  ])("should call %s %s, at the address that the options name", async (type, kind) => {
    const { id, simulator, told } = await startConversation({ publicUrl: "https://files.example/" });
    simulator.say(id, { attachment: { name: "a", type } });
    const preSignedUrl = expect.stringMatching(/^https:\/\/files\.example\/eightbyeight\/files\//) as string;
    expect((await told()).at(-1)).toMatchObject({ data: { attachments: [{ type: kind, preSignedUrl }] } });
    expect(brief(await told())).toEqual([]);
  });
});
