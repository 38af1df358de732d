import type { HandoverError } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeHandover, makeStartCall } from "../src/__fixtures__/calls.ts";
import { makeRequest } from "./desk.ts";
import { openStub, type Stub, type StubCall, type StubRoutes } from "./stub.ts";

let stub: Stub;
afterEach(() => stub.close());

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Answers a create call as 4.x does, with some fields different. */
function conversation(call: StubCall, fields: object = {}): object {
  const { additional_attributes, custom_attributes } = call.body;
  return { id: 42, status: "open", created_at: seconds(), additional_attributes, custom_attributes, meta: {}, ...fields };
}

const usual: StubRoutes = {
  "GET /profile": () => ({ id: 8, accounts: [{ id: 1, role: "administrator" }] }),
  "POST /contacts": () => ({ payload: { contact: { id: 300 } } }),
  "POST /conversations": (call) => conversation(call),
};

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

const start = (fields: Parameters<typeof makeRequest>[0] = {}): Promise<unknown> =>
  stub.connection.start(makeRequest(fields), makeStartCall());
const callsOf = (end: string): StubCall[] => stub.calls.filter((call) => `${call.method} ${call.path}`.endsWith(end));

describe("a conversation that is not fresh and open", () => {
  it("should open what a bot on the inbox made pending, and make sure that it is open [F050: pending]", async () => {
    let status = "open";
    stub = await openStub({
      ...usual,
      "POST /conversations": (call) => conversation(call, { status: "pending" }),
      "POST /toggle_status": () => ({ meta: {}, payload: { success: null, current_status: status } }),
    });
    expect(await start()).toMatchObject({ state: { conversationId: "42", status: "open", technicalUserId: "8" } });
    expect(callsOf("/toggle_status").map((call) => call.body)).toEqual([{ status: "open" }]);
    status = "pending";
    expect(await failureOf(start())).toMatchObject({ code: "CONVERSATION_NOT_OPEN", effect: "handover", isRetryable: false });
  });

  it("should fail for a blocked contact, and send nothing [F050: blocked] [F059]", async () => {
    stub = await openStub({ ...usual, "POST /conversations": (call) => conversation(call, { status: "resolved" }) });
    expect(await failureOf(start())).toMatchObject({ code: "CONTACT_BLOCKED", effect: "handover", name: "HandoverError" });
    expect(stub.calls.filter((call) => call.path.includes("/conversations/"))).toEqual([]);
  });

  it.each([
    ["of another handover", { additional_attributes: { cognigy_session_id: "handover_other" } }],
    ["that is old, where session ids are not kept", { additional_attributes: {}, created_at: 1_700_000_000 }],
    ["that is old and resolved", { additional_attributes: {}, created_at: 1_700_000_000, status: "resolved" }],
  ])("should never use a conversation %s [F050: old conversation] [F078]", async (_name, fields) => {
    stub = await openStub({ ...usual, "POST /conversations": (call) => conversation(call, fields) });
    const error = await failureOf(start());
    expect([error.code, error.effect]).toEqual(["CONVERSATION_REUSED", "handover"]);
    expect(error.message).toContain("Lock to single conversation");
  });

  it("should take a fresh conversation where session ids are not kept", async () => {
    stub = await openStub({ ...usual, "POST /conversations": (call) => conversation(call, { additional_attributes: {} }) });
    expect(await start()).toMatchObject({ state: { conversationId: "42" } });
  });

  it("should go on without what the version does not have: priority and profile", async () => {
    stub = await openStub({ "POST /contacts": usual["POST /contacts"]!, "POST /conversations": usual["POST /conversations"]! });
    const started = (await start({ options: { priority: "high" } })) as { state: object };
    expect(started.state).not.toHaveProperty("technicalUserId");
    expect(callsOf("/toggle_priority")).toHaveLength(1);
  });
});

describe("keys that are taken", () => {
  it("should find a contact by the exact identifier, not by a part of it [F089] [F090]", async () => {
    const contacts = [
      { id: 1, identifier: "joann" },
      { id: 2, identifier: "ann" },
    ];
    stub = await openStub({
      ...usual,
      "POST /contacts": () => ({ status: 422, body: { message: "Identifier has already been taken", attributes: ["identifier"] } }),
      "GET /contacts/search": () => ({ meta: {}, payload: contacts }),
    });
    await start({ user: { id: "ann", isVerified: true } });
    expect(callsOf("POST /some/path/api/v1/accounts/1/conversations")[0]?.body["contact_id"]).toBe(2);
  });

  it("should make a contact without what is taken and cannot be found, and never loop [F089]", async () => {
    const takenOf = (body: Record<string, unknown>): string[] =>
      ["email", "phone_number", "identifier"].filter((key) => key in body).slice(0, 1);
    stub = await openStub({
      ...usual,
      "POST /contacts": ({ body }) => {
        const attributes = takenOf(body);
        return attributes.length > 0 ? { status: 422, body: { message: "taken", attributes } } : { payload: { contact: { id: 300 } } };
      },
      "POST /contacts/filter": () => ({ payload: [] }),
    });
    await start({ user: { id: "ann", isVerified: true, email: "ann@example.com", phone: "+491701234567", name: "Ann" } });
    expect(callsOf("/contacts").map((call) => Object.keys(call.body))).toEqual([
      ["identifier", "name", "email", "phone_number"],
      ["identifier", "name", "phone_number"],
      ["identifier", "name"],
      ["name"],
    ]);
  });

  it("should take another source id once when the first one belongs to somebody else [F089]", async () => {
    let refusals = 1;
    stub = await openStub({
      ...usual,
      "POST /conversations": (call) =>
        refusals-- > 0 ? { status: 422, body: { error: "source_id should be unique" } } : conversation(call),
    });
    const call = makeStartCall();
    const request = makeRequest();
    const started = await stub.connection.start(request, call);
    const sources = callsOf("/conversations").map(({ body }) => body["source_id"]);
    expect(new Set(sources).size).toBe(2);
    expect(started.references).toEqual(["conversation:42", `source:${String(sources[1])}`]);
    expect(call.saved.map(({ references }) => references?.at(-1))).toEqual([
      `source:${String(sources[0])}`,
      ...Array<string>(2).fill(`source:${String(sources[1])}`),
    ]);
    refusals = 9;
    expect(await failureOf(start())).toMatchObject({ code: "SOURCE_TAKEN", effect: "handover" });
  });

  it.each([
    ["once: with another key", 1, undefined],
    ["again: it gives up, and nobody loops", 9, "VENDOR_FAILED"],
  ])("should look and go on when a key is answered with 500 %s [F089: conflict as 500]", async (_name, failures, code) => {
    let left = failures;
    stub = await openStub({
      ...usual,
      "POST /conversations": (call) => (left-- > 0 ? { status: 500, body: "<html>" } : conversation(call)),
      "GET /conversations": () => ({ data: { meta: {}, payload: [] } }),
      "GET /contacts/300/conversations": () => ({ payload: [] }),
    });
    const result = await start().catch((error: unknown) => error);
    expect((result as { code?: string }).code).toBe(code);
    const sources = callsOf("POST /some/path/api/v1/accounts/1/conversations").map(({ body }) => body["source_id"]);
    expect([sources.length, new Set(sources).size]).toEqual([2, 2]);
  });

  it("should never use a field of a start answer that is not there [F049] [F094]", async () => {
    let answer: unknown = { id: 42 };
    stub = await openStub({ ...usual, "POST /conversations": () => ({ status: 200, body: answer }) });
    const error = await failureOf(start());
    expect([error.code, error.outcome]).toEqual(["VENDOR_ANSWER_UNEXPECTED", "unknown"]);
    expect(error.message).toContain("check status");
    for (answer of ["", "<html>", '{"id":'])
      expect(await failureOf(start())).toMatchObject({ code: "VENDOR_ANSWER_UNEXPECTED", outcome: "unknown" });
  });
});

describe("old versions", () => {
  const handover = makeHandover();
  const part = { message: { id: "m", author: { role: "user" as const }, text: "hi", sentAt: "2026-01-01T10:00:00.000Z" } };

  it("should take a 200 without an id for a failure", async () => {
    stub = await openStub({ "POST /messages": () => ({ id: null, content: "hi" }) });
    expect(await failureOf(stub.connection.sendMessage(handover, part, makeCall()))).toMatchObject({
      code: "MESSAGE_NOT_STORED",
      isRetryable: false,
      outcome: "not-applied",
    });
  });

  it.each([404, 409, 410])("should end the handover when a send is answered %i [F073]", async (status) => {
    stub = await openStub({ "POST /messages": () => ({ status, body: "" }) });
    expect(await failureOf(stub.connection.sendMessage(handover, part, makeCall()))).toMatchObject({
      code: "CONVERSATION_GONE",
      effect: "handover",
    });
  });

  it("should read everything from a server that ignores `after` [F102]", async () => {
    const all = Array.from({ length: 130 }, (_, index) => ({
      id: index + 1,
      content: "x",
      message_type: 1,
      private: false,
      created_at: seconds(),
    }));
    stub = await openStub({
      "GET /messages": ({ query }) => ({ payload: all.filter(({ id }) => id < Number(query.get("before") ?? Infinity)).slice(-20) }),
      "GET /conversations/42": () => ({ id: 42, status: "open" }),
    });
    const idsAfter = async (afterId: number): Promise<number[]> => {
      const { deliveries } = await stub.connection.catchUp(handover, { afterId }, makeCall());
      return deliveries.flatMap(({ order }) => (order?.group === "messages" ? [order.position] : []));
    };
    expect(await idsAfter(5)).toEqual(all.map(({ id }) => id).slice(5));
    expect(await idsAfter(110)).toEqual(all.map(({ id }) => id).slice(110));
    expect(await idsAfter(125)).toEqual([126, 127, 128, 129, 130]);
    expect(await idsAfter(130)).toEqual([]);
  });

  it("should not be sure of a message where no mark is kept [F022]", async () => {
    const kept = { id: 1, content: "hi", message_type: 0, created_at: 1767261600, content_attributes: { external_created_at: 1767261600 } };
    let messages: object[] = [kept];
    stub = await openStub({ "GET /messages": ({ query }) => ({ payload: query.has("before") ? [] : messages }) });
    const sent = { part, idempotencyKey: "key", firstAttemptAtMs: 1767261600_000 };
    const find = (): Promise<unknown> => stub.connection.findSentMessage(handover, sent, makeCall());
    expect(await find()).toBe("unknown");
    messages = [{ ...kept, content: "other" }];
    expect(await find()).toBe("absent");
    messages = [{ ...kept, source_id: "of another message" }];
    expect(await find()).toBe("absent");
  });

  it("should send the text with its type, marks and time, and ids as numbers [F037]", async () => {
    stub = await openStub({ "POST /messages": () => ({ id: 7 }), ...usual });
    expect(await stub.connection.sendMessage(handover, part, makeCall({ idempotencyKey: "key-1" }))).toEqual({ vendorMessageId: "7" });
    expect(stub.calls[0]).toMatchObject({
      path: "/some/path/api/v1/accounts/1/conversations/42/messages",
      body: {
        content: "hi",
        message_type: "incoming",
        private: false,
        source_id: "key-1",
        content_attributes: { handover_key: "key-1" },
        external_created_at: 1767261600,
      },
    });
    await start({ options: { inboxId: "9007199254740993" } });
    expect(callsOf("/conversations")[0]?.body).toMatchObject({ inbox_id: "9007199254740993", contact_id: 300 });
  });
});

describe("refusals of the authentication layer", () => {
  it.each([
    [{ errors: ["You need to sign in or sign up before continuing."] }, "CREDENTIALS_MISSING", /proxy/],
    [{ error: "Invalid Access Token" }, "AUTHENTICATION_FAILED", /API Key is not known/],
    [{ error: "You are not authorized to access this account" }, "ACCOUNT_FORBIDDEN", /Account ID/],
    [{ error: "You are not authorized to do this action" }, "PERMISSION_DENIED", /administrator/],
    [{ error: "Account is suspended" }, "ACCOUNT_SUSPENDED", /suspended/],
    [{ error: "Access to this endpoint is not authorized for bots" }, "WRONG_TOKEN_KIND", /user/],
    ["<html>", "AUTHENTICATION_FAILED", /401/],
  ])("should tell %j apart [F109]", async (body, code, words) => {
    stub = await openStub({ "GET /profile": () => ({ status: 401, body }) });
    const error = await failureOf(start());
    expect([error.code, error.effect]).toEqual([code, "connection"]);
    expect(error.message).toMatch(words);
    const [finding, ...others] = await stub.connection.checkConnection(makeCall());
    expect([finding?.level, finding?.code, others]).toEqual(["error", code, []]);
    expect(finding?.message).toMatch(words);
  });

  it("should warn of inbox settings that break a handover later [F176: reply window]", async () => {
    const inbox = {
      id: 3,
      channel_type: "Channel::WebWidget",
      webhook_url: null,
      lock_to_single_conversation: true,
      additional_attributes: { agent_reply_time_window: 24 },
    };
    stub = await openStub({
      "GET /profile": () => ({ id: 8, accounts: [{ id: 1, role: "agent" }] }),
      "GET /conversations/meta": () => ({ meta: {} }),
      "GET /inboxes": () => ({ payload: [inbox] }),
      "GET /inbox_members/3": () => ({ payload: [] }),
    });
    expect((await stub.connection.checkConnection(makeCall())).map(({ level, code }) => `${level} ${code}`)).toEqual([
      "ok ACCOUNT_REACHED",
      "warning ROLE_TOO_LOW",
      "ok INBOX_FOUND",
      "warning INBOX_NOT_API",
      "warning INBOX_LOCKED_TO_ONE",
      "warning REPLY_WINDOW_SET",
      "error WEBHOOK_MISSING",
      "warning INBOX_WITHOUT_AGENTS",
    ]);
  });
});
