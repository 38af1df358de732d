import { HandoverError, type AttachmentContent, type HandoverConnection, type Message } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { logged, makeCall, makeHandover } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions, LiveAgentState } from "../src/index.ts";
import { openStub, type Stub, type StubAnswer, type StubCall, type StubRoutes } from "./stub.ts";

type Connection = Required<HandoverConnection<LiveAgentOptions, LiveAgentState>>;

let stub: Stub | undefined;
afterEach(async () => {
  await stub?.close();
  stub = undefined;
});

async function open(routes: StubRoutes, settings: Record<string, unknown> = {}): Promise<{ stub: Stub; connection: Connection }> {
  stub = await openStub(routes, settings);
  return { stub, connection: stub.connection as unknown as Connection };
}

const inboxes = { payload: [{ id: 3, name: "Handover", channel_type: "Channel::Api", inbox_identifier: "inbox/1" }] };
const stored = (): StubAnswer => ({ id: 77 });
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));
const handover = makeHandover({ inboxIdentifier: "inbox/1" });

function fileOf(text: string, type = "text/plain"): AttachmentContent {
  const bytes = bytesOf(text);
  return { name: "stored", type, sizeBytes: bytes.length, stream: new Blob([bytes]).stream() as ReadableStream<Uint8Array> };
}

function messageOf(fields: Partial<Message>): Message {
  return { id: "m1", author: { role: "user", id: "u1" }, sentAt: "2026-01-01T10:00:00.500Z", ...fields };
}

async function send(connection: Connection, message: Message, files: Readonly<Record<string, AttachmentContent>> = {}): Promise<string[]> {
  const readAttachment = async (id: string): Promise<AttachmentContent> => {
    const found = files[id];
    if (found) return found;
    throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "There is no such file." });
  };
  const ids: string[] = [];
  for (const part of connection.planMessage(handover, message)) {
    const sent = await connection.sendMessage(handover, part, makeCall({ readAttachment, idempotencyKey: `key-${ids.length + 1}` }));
    ids.push(sent.vendorMessageId ?? "");
  }
  return ids;
}

const sentMessages = ({ calls }: Stub): StubCall[] => calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
const withoutMarks = ({ body }: StubCall): object => {
  const { source_id: _id, external_created_at: _time, content_attributes: attributes, ...rest } = body;
  const { handover_key: _key, ...own } = attributes as Record<string, unknown>;
  return { ...rest, ...(Object.keys(own).length > 0 ? { content_attributes: own } : {}) };
};

describe("files to the desk", () => {
  const pdf = { id: "a", name: "Grundriß.pdf", type: "application/pdf", sizeBytes: 5 };
  const sound = { id: "b", name: "sound", type: "audio/ogg" };

  it("should send a caption with its files, in order, with names and types [F132: from the user] [F134: allowed]", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    const files = { a: fileOf("%PDF-"), b: fileOf("ogg") };
    expect(await send(connection, messageOf({ text: "Grüße 👋", attachments: [pdf, sound] }), files)).toEqual(["77"]);
    const [{ form, headers } = { form: undefined, headers: {} as Record<string, string> }] = sentMessages(desk);
    const texts = [...(form ?? new FormData())].flatMap(([key, value]): [string, string][] =>
      typeof value === "string" ? [[key, value]] : [],
    );
    expect(Object.fromEntries(texts)).toEqual({
      content: "Grüße 👋",
      message_type: "incoming",
      private: "false",
      source_id: "key-1",
      content_attributes: '{"handover_key":"key-1"}',
      external_created_at: "1767261600",
    });
    const uploaded = (form?.getAll("attachments[]") ?? []) as File[];
    expect(uploaded.map(({ name, type, size }) => [name, type, size])).toEqual([
      ["Grundriß.pdf", "application/pdf", 5],
      ["sound", "audio/ogg", 3],
    ]);
    expect(await uploaded[0]?.text()).toBe("%PDF-");
    expect(headers["api-access-token"]).toBe("stub-key");
  });

  it("should send files without a caption, and more than fit into one message in several", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    const attachments = Array.from({ length: 17 }, (_, index) => ({ id: `f${index}`, name: `${index}.txt`, type: "text/plain" }));
    const files = Object.fromEntries(attachments.map(({ id }) => [id, fileOf(id)]));
    expect(await send(connection, messageOf({ attachments }), files)).toHaveLength(2);
    const forms = sentMessages(desk).map(({ form }) => form);
    expect(forms.map((form) => [form?.get("content"), form?.getAll("attachments[]").length, form?.get("source_id")])).toEqual([
      [null, 15, "key-1"],
      [null, 2, "key-2"],
    ]);
  });

  it("should send no file that is too large or of a type that the desk refuses, and say the limit [F134: limits]", async () => {
    const { stub: desk, connection } = await open(
      { "POST /messages": stored },
      { maxFileBytes: 2_097_152, fileTypes: ["image/*", "application/pdf"] },
    );
    const sending = (file: Partial<typeof pdf>, content = fileOf("x")) =>
      send(connection, messageOf({ text: "here", attachments: [{ ...pdf, ...file }] }), { a: content });
    await expect(sending({ sizeBytes: 2_097_153 })).rejects.toMatchObject({
      code: "ATTACHMENT_TOO_LARGE",
      message: expect.stringContaining("2 MB") as string,
      effect: "message",
      isRetryable: false,
    });
    await expect(sending({}, { ...fileOf("x"), sizeBytes: 3_000_000 })).rejects.toMatchObject({ code: "ATTACHMENT_TOO_LARGE" });
    await expect(sending({ type: "application/x-msdownload" })).rejects.toMatchObject({
      code: "ATTACHMENT_TYPE_REFUSED",
      message: expect.stringContaining("image/*, application/pdf") as string,
    });
    expect(desk.calls).toEqual([]);
    expect(await sending({ type: "IMAGE/PNG; x=1" })).toEqual(["77"]);
  });

  it.each([
    [413, "ATTACHMENT_TOO_LARGE"],
    [422, "ATTACHMENT_REFUSED"],
    [415, "ATTACHMENT_REFUSED"],
  ])("should tell a file that the server refuses with %i from a fault of the connection [F134: refused]", async (status, code) => {
    const { connection } = await open({ "POST /messages": () => ({ status, body: { error: "Virus FOUND in words of the server" } }) });
    const sending = send(connection, messageOf({ attachments: [pdf] }), { a: fileOf("x") });
    await expect(sending).rejects.toMatchObject({ code, effect: "message", isRetryable: false, outcome: "not-applied" });
    await expect(sending).rejects.not.toThrow(/FOUND/);
  });

  it("should slow down for a flood of files too, and stop when the conversation is gone", async () => {
    let status = 422;
    const { connection } = await open({ "POST /messages": () => ({ status, body: { error: "Validation failed: Too many messages" } }) });
    const sending = () => send(connection, messageOf({ attachments: [pdf] }), { a: fileOf("x") });
    await expect(sending()).rejects.toMatchObject({ code: "RATE_LIMITED" });
    status = 404;
    await expect(sending()).rejects.toMatchObject({ code: "CONVERSATION_GONE" });
  });

  it("should name a file that the host no longer has, and the link that a bot gave [F129: files]", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    const linked = { id: "gone", name: "list.pdf", type: "application/pdf", url: "https://bot.example/list.pdf" };
    await send(connection, messageOf({ author: { role: "bot" }, text: "See", attachments: [linked] }));
    await send(connection, messageOf({ text: "Both", attachments: [pdf, linked] }), { a: fileOf("x") });
    const [first, second] = sentMessages(desk);
    expect(first?.body["content"]).toBe("See\n\nFile: list.pdf\nhttps://bot.example/list.pdf");
    expect(second?.form?.get("content")).toBe("Both\n\nFile: list.pdf\nhttps://bot.example/list.pdf");
    expect(second?.form?.getAll("attachments[]")).toHaveLength(1);
  });

  it("should free a file that it does not send", async () => {
    const { connection } = await open({ "POST /messages": stored }, { fileTypes: ["application/pdf"] });
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const sending = send(connection, messageOf({ attachments: [pdf, { ...pdf, id: "b" }] }), {
      a: { ...fileOf("x"), stream },
      b: { ...fileOf("y"), sizeBytes: 1e9 },
    });
    await expect(sending).rejects.toMatchObject({ code: "ATTACHMENT_TOO_LARGE" });
    expect(isCancelled).toBe(true);
  });

  it("should find a file whose answer was lost by its marker, and know when it cannot tell [F022: files]", async () => {
    const listed = {
      id: 5,
      message_type: 0,
      content: null,
      private: false,
      created_at: 1767261600,
      source_id: "key-1",
      content_attributes: {},
    };
    const old = { ...listed, source_id: null, content_attributes: { external_created_at: 1767261600 } };
    let payload: object[] = [listed];
    const { connection } = await open({ "GET /messages": () => ({ payload }) });
    const [part] = connection.planMessage(handover, messageOf({ attachments: [pdf] }));
    const sent = { part: part ?? { message: messageOf({}) }, idempotencyKey: "key-1", firstAttemptAtMs: 1767261600_000 };
    expect(await connection.findSentMessage(handover, sent, makeCall())).toEqual({ vendorMessageId: "5" });
    payload = [old];
    expect(await connection.findSentMessage(handover, sent, makeCall())).toBe("unknown");
    payload = [];
    expect(await connection.findSentMessage(handover, sent, makeCall())).toBe("absent");
  });
});

describe("choices and cards to the desk", () => {
  const choices = [
    { id: "1", title: "Yes", payload: "YES" },
    { id: "2", title: "No" },
  ];

  it("should send a bot's choices as text that says all, and as what they are [F129: choices]", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    await send(connection, messageOf({ author: { role: "bot" }, text: "Sure?", choices }));
    expect(sentMessages(desk).map(withoutMarks)).toEqual([
      {
        content: "Sure?\n\n- Yes\n- No",
        message_type: "outgoing",
        private: false,
        content_type: "input_select",
        content_attributes: {
          items: [
            { title: "Yes", value: "YES" },
            { title: "No", value: "No" },
          ],
        },
      },
    ]);
  });

  it("should send cards with their pictures, links and buttons [F129: cards]", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    const card = { title: "Shoe", text: "42 euro", imageUrl: "https://s.example/a.png", url: "https://s.example/a", choices };
    await send(connection, messageOf({ author: { role: "bot" }, cards: [card] }));
    expect(sentMessages(desk).map(withoutMarks)).toMatchObject([
      {
        content: "Shoe\n42 euro\nhttps://s.example/a.png\nhttps://s.example/a\n- Yes\n- No",
        content_type: "cards",
        content_attributes: {
          items: [
            {
              title: "Shoe",
              description: "42 euro",
              media_url: "https://s.example/a.png",
              actions: [
                { type: "link", text: "Shoe", uri: "https://s.example/a" },
                { type: "postback", text: "Yes", payload: "YES" },
                { type: "postback", text: "No", payload: "No" },
              ],
            },
          ],
        },
      },
    ]);
  });

  it("should send the text alone where the desk has no such content: cards without a button, a user's message", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    await send(connection, messageOf({ author: { role: "bot" }, cards: [{ text: "just text" }] }));
    await send(connection, messageOf({ text: "mine", choices }));
    expect(sentMessages(desk).map(({ body }) => body["content_type"])).toEqual([undefined, undefined]);
  });

  it("should send the text alone when the server refuses the rest, under the same key [F129: refused]", async () => {
    const { stub: desk, connection } = await open({
      "POST /messages": ({ body }) =>
        body["content_type"] ? { status: 422, body: { error: "Validation failed: Items invalid" } } : { id: 78 },
    });
    expect(await send(connection, messageOf({ author: { role: "bot" }, text: "Sure?", choices }))).toEqual(["78"]);
    const [refused, plain] = sentMessages(desk);
    expect(plain?.body).toMatchObject({
      content: refused?.body["content"],
      source_id: "key-1",
      content_attributes: { handover_key: "key-1" },
    });
    expect(plain?.body["content_attributes"]).not.toHaveProperty("items");
  });

  it("should send a bot's lines in the name of its agent bot, where there is one", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored }, { agentBotId: "5" });
    await send(connection, messageOf({ author: { role: "bot" }, text: "hello" }));
    await send(connection, messageOf({ text: "hello" }));
    expect(sentMessages(desk).map(({ body }) => [body["message_type"], body["sender_type"], body["sender_id"]])).toEqual([
      ["outgoing", "AgentBot", 5],
      ["incoming", undefined, undefined],
    ]);
  });

  it("should send the user's choice as a message, and mark it at the question", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored, "PATCH /messages/1001": () => ({}) });
    const answer = { messageId: "1001", choice: "1", payload: "YES", providerData: { title: "Yes", value: "YES" } };
    expect(await send(connection, messageOf({ text: "Yes", answer }))).toEqual(["77"]);
    expect(sentMessages(desk)[0]?.body).toMatchObject({ content: "Yes", message_type: "incoming" });
    const marked = desk.calls.at(-1);
    expect(marked?.path).toBe("/some/path/public/api/v1/inboxes/inbox%2F1/contacts/session-abc/conversations/42/messages/1001");
    expect(marked?.body).toEqual({ submitted_values: [{ title: "Yes", value: "YES" }] });
    expect(marked?.headers).not.toHaveProperty("api-access-token");
  });

  it("should not mind when the question cannot be marked, or is the bot's own", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored, "PATCH /messages/1001": () => ({ status: 500 }) });
    const answer = { messageId: "1001", choice: "1", providerData: { title: "Yes", value: "YES" } };
    expect(await send(connection, messageOf({ text: "Yes", answer }))).toEqual(["77"]);
    const before = desk.calls.length;
    await send(connection, messageOf({ text: "Yes", answer: { messageId: "bot-1", choice: "1" } }));
    expect(desk.calls.length - before).toBe(1);
  });
});

describe("signs of the user", () => {
  const publicPath = "/some/path/public/api/v1/inboxes/inbox%2F1/contacts/session-abc/conversations/42";

  it("should show the customer typing, never our own user [F140: user typing]", async () => {
    const { stub: desk, connection } = await open({ "POST /toggle_typing": () => ({ status: 200, body: "" }) });
    await connection.setTyping(handover, true, makeCall());
    await connection.setTyping(handover, false, makeCall());
    expect(desk.calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", `${publicPath}/toggle_typing`, { typing_status: "on" }],
      ["POST", `${publicPath}/toggle_typing`, { typing_status: "off" }],
    ]);
    for (const { headers } of desk.calls) expect(headers).not.toHaveProperty("api-access-token");
  });

  it("should learn the inbox identifier once, and show nothing where there is none [F140: not offered]", async () => {
    const routes: StubRoutes = { "GET /inboxes": () => inboxes, "POST /toggle_typing": () => ({}) };
    const { stub: desk, connection } = await open(routes);
    await connection.setTyping(makeHandover(), true, makeCall());
    await connection.setTyping(makeHandover(), false, makeCall());
    expect(desk.calls.map(({ path }) => path.split("/").at(-1))).toEqual(["inboxes", "toggle_typing", "toggle_typing"]);
    await desk.close();
    const without = await open({ "GET /inboxes": () => ({ payload: [{ id: 3, name: "old" }] }) });
    await without.connection.setTyping(makeHandover(), true, makeCall());
    await without.connection.setTyping(makeHandover(), true, makeCall());
    expect(without.stub.calls.map(({ path }) => path.split("/").at(-1))).toEqual(["inboxes"]);
  });

  it("should take a 404 of the public API for a feature that is off, and not ask again", async () => {
    const { stub: desk, connection } = await open({});
    for (let count = 0; count < 3; count += 1) await connection.setTyping(handover, true, makeCall());
    expect(desk.calls).toHaveLength(1);
    await connection.setTyping({ ...handover, state: { ...handover.state, status: "resolved" } }, true, makeCall());
    expect(desk.calls).toHaveLength(1);
  });

  it("should tell that the user has read, by one call as the customer", async () => {
    const { stub: desk, connection } = await open({ "POST /update_last_seen": () => ({ status: 200, body: "" }) });
    await connection.reportDelivery(handover, { vendorMessageIds: ["1", "2"], upToMs: 0, status: "read" }, makeCall());
    expect(desk.calls.map(({ method, path }) => [method, path])).toEqual([["POST", `${publicPath}/update_last_seen`]]);
  });

  it("should tell it message by message where the public API is off, and nothing where the server knows no states", async () => {
    const { stub: desk, connection } = await open({ "PATCH /messages/1": () => ({}), "PATCH /messages/2": () => ({}) });
    await connection.reportDelivery(handover, { vendorMessageIds: ["1", "2"], upToMs: 0, status: "read" }, makeCall());
    await connection.reportDelivery(handover, { vendorMessageIds: ["2"], upToMs: 0, status: "failed", reason: "not shown" }, makeCall());
    expect(desk.calls.slice(1).map(({ path, body }) => [path.split("/").at(-1), body])).toEqual([
      ["1", { status: "read" }],
      ["2", { status: "read" }],
      ["2", { status: "failed", external_error: "not shown" }],
    ]);
    await desk.close();
    const old = await open({});
    for (const id of ["3", "4"])
      await old.connection.reportDelivery(handover, { vendorMessageIds: [id], upToMs: 0, status: "delivered" }, makeCall());
    expect(old.stub.calls.map(({ path }) => path.split("/").at(-1))).toEqual(["3"]);
  });

  it("should not take a conversation or message that is gone for a call that the server does not have", async () => {
    const { stub: desk, connection } = await open({
      "POST /conversations/42/toggle_typing": () => ({ status: 200, body: "" }),
      "PATCH /messages/1": () => ({}),
    });
    const gone = { ...handover, state: { ...handover.state, conversationId: "43" } };
    for (const each of [handover, gone, gone, handover]) await connection.setTyping(each, true, makeCall());
    expect(desk.calls.map(({ path }) => path.split("/").at(-2))).toEqual(["42", "43", "42"]);
    desk.calls.length = 0;
    for (const id of ["1", "2", "1"])
      await connection.reportDelivery(handover, { vendorMessageIds: [id], upToMs: 0, status: "delivered" }, makeCall());
    expect(desk.calls.map(({ path }) => path.split("/").at(-1))).toEqual(["1", "2", "1"]);
  });

  it("should tell the agent by a note that the user left and came back [F071: provider]", async () => {
    const { stub: desk, connection } = await open({ "POST /messages": stored });
    await connection.setUserPresence(handover, false, makeCall());
    await connection.setUserPresence(handover, true, makeCall());
    expect(sentMessages(desk).map(({ body }) => [body["content"], body["private"], body["message_type"]])).toEqual([
      ["User left the conversation", true, "outgoing"],
      ["User joined the conversation", true, "outgoing"],
    ]);
  });

  it("should hand in a survey as the customer, and say when it is too late", async () => {
    let status = 200;
    const { stub: desk, connection } = await open({ "PATCH /messages/1001": () => ({ status, body: {} }) });
    const submit = (answers: Record<string, string | number>) => connection.submitSurvey(handover, { survey: "1001", answers }, makeCall());
    await submit({ rating: 4, feedback: "Grüße" });
    await submit({ rating: "5" });
    expect(desk.calls.map(({ path, body }) => [path, body])).toEqual([
      [`${publicPath}/messages/1001`, { submitted_values: { csat_survey_response: { rating: 4, feedback_message: "Grüße" } } }],
      [`${publicPath}/messages/1001`, { submitted_values: { csat_survey_response: { rating: 5 } } }],
    ]);
    await expect(submit({ rating: 6 })).rejects.toMatchObject({ code: "SURVEY_ANSWER_INVALID" });
    await expect(submit({})).rejects.toMatchObject({ code: "SURVEY_ANSWER_INVALID" });
    status = 422;
    await expect(submit({ rating: 1 })).rejects.toMatchObject({ code: "SURVEY_CLOSED" });
    status = 404;
    await expect(submit({ rating: 1 })).rejects.toMatchObject({ code: "SURVEY_UNAVAILABLE" });
  });

  it("should log no word of a user, no id of the source and no identifier [F120: signs]", () => {
    for (const line of logged) expect(line).not.toMatch(/Grüße|session-abc|inbox\/1|stub-key/);
  });
});
