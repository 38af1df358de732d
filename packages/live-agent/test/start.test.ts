import { ProviderApiError, type HandoverError, type StartRequest } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { logged, makeContext, makeStartCall } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions } from "../src/index.ts";
import { makeRequest, openDesk, type Desk } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

const createCall = "POST /live-agent/api/v1/accounts/1/conversations";
const bodiesOf = (calls: { readonly path: string; readonly body?: unknown }[]): Record<string, unknown>[] =>
  calls.filter((call) => call.path.endsWith("/conversations")).map((call) => call.body as Record<string, unknown>);

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

describe("start", () => {
  it("should open one conversation with everything that routing needs in the create call [F051] [F150] [F016: attributes and summary]", async () => {
    desk = await openDesk();
    const options: LiveAgentOptions = {
      priority: "high",
      skills: ["billing", " "],
      languages: ["german"],
      customAttributes: { plan: "gold", text: "x".repeat(2000), big: 10_000_000_000, empty: "" },
    };
    const started = await desk.startHandover({ options, summary: "Wants a refund." });
    const conversationId = started.state.conversationId;
    expect(started).toMatchObject({ transcriptThrough: 0, relay: "both", state: { status: "open", technicalUserId: "1" } });
    expect(started.references).toEqual([`conversation:${conversationId}`, `source:${started.state.sourceId}`]);
    expect(bodiesOf(desk.calls(createCall))).toEqual([
      {
        inbox_id: 1,
        contact_id: expect.any(Number) as number,
        source_id: started.state.sourceId,
        status: "open",
        custom_attributes: { plan: "gold", text: "x".repeat(1500), big: "10000000000", skills: ["billing"], languages: ["german"] },
        additional_attributes: { cognigy_session_id: started.state.sourceId },
        message: expect.objectContaining({ content: "Wants a refund.", private: true, message_type: "outgoing" }) as object,
      },
    ]);
    expect(desk.simulator.conversation(conversationId)).toMatchObject({
      status: "queued",
      notes: [{ text: "Wants a refund." }],
    });
    expect(desk.calls("/toggle_priority").map((call) => call.body)).toEqual([{ priority: "high" }]);
  });

  it("should put attributes where the settings say [F150]", async () => {
    desk = await openDesk();
    const attributeKeys = { skills: "additional_attributes.wanted", sessionId: "custom_attributes.session" };
    const connection = desk.connect({ attributeKeys });
    const started = await connection.start(makeRequest({ options: { skills: ["a"] } }), makeStartCall());
    expect(bodiesOf(desk.calls(createCall))[0]).toMatchObject({
      additional_attributes: { wanted: ["a"] },
      custom_attributes: { session: started.state.sourceId },
    });
  });

  it("should send no field for what is absent, null or white space [F048]", async () => {
    desk = await openDesk();
    const nothing = { name: " ", email: null, phone: "", language: null, attributes: { a: " ", b: null } };
    const options = { skills: [], languages: [" "], customAttributes: { a: " " }, priority: "none" };
    const request = {
      user: { id: "u", isVerified: true, ...nothing },
      options,
      summary: " \n",
    } as unknown as StartRequest<LiveAgentOptions>;
    await desk.startHandover(request);
    expect(desk.calls("POST /live-agent/api/v1/accounts/1/contacts")[0]?.body).toEqual({ identifier: "u" });
    expect(Object.keys(bodiesOf(desk.calls(createCall))[0] ?? {})).toEqual([
      "inbox_id",
      "contact_id",
      "source_id",
      "status",
      "additional_attributes",
    ]);
    expect(desk.calls("/toggle_priority")).toEqual([]);
  });

  it.each(["x", "y".repeat(44), "y".repeat(45), "z".repeat(256), "a/%2F+ 👋?#"])(
    "should take the conversation id %s [F085] [F093]",
    async (conversation) => {
      desk = await openDesk();
      const started = await desk.startHandover({ conversation });
      expect(started.state.sourceId).toMatch(/^[\w-]{1,44}$/);
      const handover = desk.handover(started);
      const [part] = desk.connection.planMessage(handover, {
        id: "1",
        author: { role: "user" },
        text: "hi",
        sentAt: "2026-01-01T10:00:00Z",
      });
      await desk.connection.sendMessage(handover, part!, makeStartCall());
      expect(await desk.connection.end(handover, { reason: "completed", actor: "user" }, makeStartCall())).toBe("ended");
      expect(desk.simulator.conversation(started.state.conversationId)).toMatchObject({
        status: "closed",
        messages: [{ author: "user", text: "hi" }, {}],
      });
    },
  );

  it("should send the token under the name that proxies let through [F110]", async () => {
    desk = await openDesk();
    await desk.startHandover();
    for (const { headers, query, path } of desk.calls()) {
      expect(headers["api-access-token"]).toBe("***");
      expect(Object.keys(headers).filter((name) => name.includes("_"))).toEqual([]);
      expect(JSON.stringify([query, path])).not.toContain(desk.simulator.apiKey);
    }
  });
});

describe("contacts", () => {
  it("should make one contact per verified user and one contact inbox per handover [F089]", async () => {
    desk = await openDesk();
    const users = ["ann", "joann", "9007199254740993"];
    for (let round = 0; round < 3; round += 1) {
      // A host that lost its memory finds them again.
      const connection = desk.connect({}, makeContext());
      for (const id of users) await connection.start(makeRequest({ user: { id, isVerified: true } }), makeStartCall());
    }
    const contactIds = new Set(bodiesOf(desk.calls(createCall)).map((body) => body["contact_id"]));
    expect(contactIds.size).toBe(3);
    const identifiers = desk
      .calls("POST /live-agent/api/v1/accounts/1/contacts")
      .map((call) => (call.body as { identifier?: string }).identifier);
    expect(new Set(identifiers.filter(Boolean))).toEqual(new Set(users));
    expect(desk.simulator.conversations()).toHaveLength(9);
  });

  it("should never join the contact of somebody else by what an unverified user says [F090]", async () => {
    desk = await openDesk();
    await desk.startHandover({ user: { id: "ann", isVerified: true, email: "ann@example.com", phone: "+491701234567" } });
    await desk.startHandover({
      conversation: "other",
      user: { id: "ann", email: "ann@example.com", phone: "+491701234567", name: "Not Ann" },
    });
    await desk.startHandover({ conversation: "third", user: { id: "ben", isVerified: true, email: "ANN@example.com", phone: "12" } });
    const contactIds = new Set(bodiesOf(desk.calls(createCall)).map((body) => body["contact_id"]));
    expect(contactIds.size).toBe(3);
    const [, second] = desk.calls("POST /live-agent/api/v1/accounts/1/contacts");
    expect(second?.body).toEqual({
      identifier: expect.stringMatching(/^conversation_/) as string,
      name: "Not Ann",
      custom_attributes: { unverified_email: "ann@example.com", unverified_phone: "+491701234567" },
    });
  });

  it("should keep users of two endpoints with the same conversation id apart [F087]", async () => {
    desk = await openDesk();
    await desk.startHandover({ endpoint: "one" });
    await desk.startHandover({ endpoint: "two" });
    expect(new Set(bodiesOf(desk.calls(createCall)).map((body) => body["contact_id"])).size).toBe(2);
  });

  it("should make a new contact when the remembered one was deleted [F089]", async () => {
    desk = await openDesk();
    await desk.startHandover();
    desk.simulator.reset();
    const started = await desk.startHandover();
    expect(desk.simulator.conversation(started.state.conversationId).status).toBe("queued");
  });
});

describe("an inbox", () => {
  it("should name an inbox that does not exist [F176: missing inbox at run time]", async () => {
    desk = await openDesk();
    const error = await failureOf(desk.startHandover({ options: { inboxId: "77" } }));
    expect([error.code, error.effect, error.isRetryable, error.outcome]).toEqual(["INBOX_NOT_FOUND", "handover", false, "not-applied"]);
    expect(error.message).toContain("inbox 77");
    expect(desk.calls(createCall).length).toBeLessThanOrEqual(2);
  });
});

describe("a start in doubt", () => {
  it("should find the conversation whose answer was lost, and not make a second one [F043]", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const request = makeRequest({ options: { priority: "urgent" } });
    const call = makeStartCall();
    const error = await failureOf(desk.connection.start(request, call));
    expect([error.outcome, error.isRetryable]).toEqual(["unknown", true]);
    expect(call.saved).toEqual([
      {
        references: [expect.stringMatching(/^source:/)],
        state: expect.objectContaining({ createAtMs: expect.any(Number) as number }) as object,
      },
    ]);

    const resumed = { ...request, resume: call.resume() };
    const found = await desk.connection.findStarted(resumed, call);
    expect(found).toMatchObject({ references: [`conversation:${desk.simulator.conversations()[0]!.id}`, call.saved[0]!.references![0]] });
    expect(desk.calls("/toggle_priority")).toHaveLength(1);
    // A start after a crash looks first, too.
    expect(await desk.connection.start({ ...request, resume: call.resume() }, makeStartCall())).toEqual(found);
    expect(desk.simulator.conversations()).toHaveLength(1);
  });

  it("should find it among the contact's conversations where the filter is not known [F043]", async () => {
    desk = await openDesk();
    for (let index = 0; index < 3; index += 1) await desk.startHandover();
    const call = makeStartCall();
    const request = makeRequest();
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    await failureOf(desk.connection.start(request, call));
    const [latest] = desk.simulator.conversations().slice(-1);
    // Moved out of the first page of the account's list by others.
    for (let index = 0; index < 30; index += 1) await desk.startHandover({ conversation: `other ${index}` });
    expect(await desk.connection.findStarted({ ...request, resume: call.resume() }, call)).toMatchObject({
      state: { conversationId: latest!.id },
    });
  });

  it("should be sure that there is none when nothing was done [F043]", async () => {
    desk = await openDesk();
    const request = makeRequest();
    expect(await desk.connection.findStarted(request, makeStartCall())).toBe("absent");
    desk.simulator.setFaults({ failRate: 1, status: 504, only: "POST /conversations", times: 1 });
    const call = makeStartCall();
    expect((await failureOf(desk.connection.start(request, call))).outcome).toBe("unknown");
    const resumed = { ...request, resume: call.resume() };
    expect(await desk.connection.findStarted(resumed, call)).toBe("absent");
    await desk.connection.start(resumed, call);
    expect(desk.simulator.conversations()).toHaveLength(1);
  });

  it("should not be sure when a conversation of that time lost its session id [F043]", async () => {
    desk = await openDesk();
    const call = makeStartCall();
    const request = makeRequest();
    await desk.connection.start(request, call);
    const { references, state } = call.saved[0]!;
    // As if the installation stored session ids elsewhere.
    const other = desk.connect({ attributeKeys: { sessionId: "custom_attributes.elsewhere" } });
    const resume = { references: references!, state: state! };
    expect(await other.findStarted({ ...request, resume }, call)).toBe("unknown");
    expect(await failureOf(other.start({ ...request, resume }, call))).toMatchObject({ outcome: "unknown", code: "START_IN_DOUBT" });
    expect(desk.simulator.conversations()).toHaveLength(1);
  });

  it.each([
    ["POST /contacts", "not-applied"],
    ["GET /profile", "not-applied"],
    ["POST /toggle_priority", "not-applied"],
  ])("should call a lost answer of %s %s and go on from there", async (only, outcome) => {
    desk = await openDesk();
    const call = makeStartCall();
    const request = makeRequest({ options: { priority: "low" } });
    desk.simulator.setFaults({ loseAnswerRate: 1, only, times: 1 });
    expect((await failureOf(desk.connection.start(request, call))).outcome).toBe(outcome);
    const resumed = call.saved.length === 0 ? request : { ...request, resume: call.resume() };
    const started = await desk.connection.start(resumed, call);
    expect(desk.simulator.conversations().map((conversation) => conversation.id)).toEqual([started.state.conversationId]);
  });

  it("should check-point the source before and the conversation right after it is there", async () => {
    desk = await openDesk();
    const call = makeStartCall();
    const started = await desk.connection.start(makeRequest(), call);
    expect(call.saved.map((progress) => progress.references)).toEqual([[`source:${started.state.sourceId}`], started.references]);
    // The webhook of the creation, which may be faster than the answer, finds both.
    await desk.simulator.webhooksIdle();
    expect(desk.deliveries[0]?.references).toEqual(started.references);
  });
});

describe("errors", () => {
  it.each([
    ["a wrong key", { apiKey: "wrong-key-words" }, "AUTHENTICATION_FAILED", /Profile Settings/],
    ["another account", { accountId: "5" }, undefined, /./],
  ])("should explain %s and show no secret [F109] [F120]", async (_name, settings, code, words) => {
    desk = await openDesk();
    const error = await failureOf(
      desk.connect(settings).start(makeRequest({ user: { id: "user-words", isVerified: true } }), makeStartCall()),
    );
    expect(ProviderApiError.isInstance(error)).toBe(true);
    if (code) expect([error.code, error.effect]).toEqual([code, "connection"]);
    expect(error.message).toMatch(words);
    expect(JSON.stringify([error, error.message, error.stack, logged])).not.toMatch(/key-words|user-words|simulator-live-agent-key/);
  });

  it("should report too many calls as such, with nothing done [F101]", async () => {
    desk = await openDesk();
    desk.simulator.setFaults({ failRate: 1, status: 429 });
    expect(await failureOf(desk.startHandover())).toMatchObject({ code: "RATE_LIMITED", effect: "connection", outcome: "not-applied" });
  });
});
