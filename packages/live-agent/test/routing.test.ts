import type { HandoverError } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { logged, makeCall, makeHandover, makeStartCall } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions } from "../src/index.ts";
import { makeRequest } from "./desk.ts";
import { openStub, type Stub, type StubCall, type StubRoutes } from "./stub.ts";

let stub: Stub;
afterEach(() => stub.close());

interface Conversation {
  labels: string[];
  priority: string | null;
  custom_attributes: Record<string, unknown>;
  assignee: number | null;
  team: number | null;
}

/** A server that replaces lists and objects as a whole, and takes a conversation away from everybody for an unknown agent. */
function server(conversation: Conversation, routes: StubRoutes = {}): StubRoutes {
  const view = (): object => ({
    id: 42,
    status: "open",
    inbox_id: 3,
    created_at: Math.floor(Date.now() / 1000),
    priority: conversation.priority,
    labels: conversation.labels,
    custom_attributes: conversation.custom_attributes,
    additional_attributes: {},
    meta: {
      sender: { id: 300 },
      ...(conversation.assignee === null ? {} : { assignee: { id: conversation.assignee, type: "user" } }),
      ...(conversation.team === null ? {} : { team: { id: conversation.team } }),
    },
  });
  return {
    "GET /profile": () => ({ id: 8, accounts: [] }),
    "GET /inboxes": () => ({ payload: [{ id: 3 }] }),
    "POST /contacts": () => ({ payload: { contact: { id: 300 } } }),
    "PUT /contacts/300": () => ({ payload: {} }),
    "POST /conversations": view,
    "GET /conversations/42": view,
    "GET /assignable_agents": () => ({ payload: [{ id: 5 }, { id: 6 }] }),
    "GET /teams": () => [{ id: 2 }],
    "GET /conversations/42/labels": () => ({ payload: conversation.labels }),
    "POST /conversations/42/labels": ({ body }) => ({ payload: (conversation.labels = body["labels"] as string[]) }),
    "POST /conversations/42/custom_attributes": ({ body }) => {
      conversation.custom_attributes = body["custom_attributes"] as Record<string, unknown>;
      return { custom_attributes: conversation.custom_attributes };
    },
    "POST /conversations/42/toggle_priority": ({ body }) => {
      conversation.priority = body["priority"] as string;
      return { status: 200, body: "" };
    },
    "POST /conversations/42/assignments": ({ body }) => {
      if ("team_id" in body) conversation.team = body["team_id"] as number;
      else conversation.assignee = body["assignee_id"] as number;
      return { id: body["assignee_id"] ?? body["team_id"] };
    },
    ...routes,
  };
}

const fresh = (fields: Partial<Conversation> = {}): Conversation => ({
  labels: [],
  priority: null,
  custom_attributes: {},
  assignee: null,
  team: null,
  ...fields,
});

const start = (options: LiveAgentOptions): Promise<unknown> => stub.connection.start(makeRequest({ options }), makeStartCall());
const writes = (): StubCall[] => stub.calls.filter(({ method, path }) => method !== "GET" && path.includes("/conversations/"));
const callsOf = (end: string): StubCall[] => stub.calls.filter((call) => `${call.method} ${call.path}`.endsWith(end));

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

describe("labels, attributes, priority, team and assignee", () => {
  it("should add to what rules and agents have set, where the API replaces [F097: labels and attributes survive]", async () => {
    const conversation = fresh({ labels: ["vip"], custom_attributes: { tier: "A" } });
    stub = await openStub(server(conversation));
    await start({ labels: ["bot", "vip"], customAttributes: { plan: "gold" }, skills: ["billing"] });
    expect(conversation).toMatchObject({ labels: ["vip", "bot"], custom_attributes: { tier: "A", plan: "gold", skills: ["billing"] } });
  });

  it("should refuse an unknown agent or team, and make no call that changes anything [F097: unknown assignee]", async () => {
    stub = await openStub(server(fresh()));
    for (const [options, code] of [
      [{ assigneeId: "77" }, "ASSIGNEE_NOT_FOUND"],
      [{ teamId: "77" }, "TEAM_NOT_FOUND"],
    ] as const) {
      const error = await failureOf(start(options));
      expect([error.code, error.effect, error.outcome, error.isRetryable]).toEqual([code, "handover", "not-applied", false]);
      expect(error.message).toContain("77");
    }
    expect(stub.calls.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("should name agent and team in the create call, and tell a server that ignored them", async () => {
    const conversation = fresh();
    stub = await openStub(server(conversation));
    await start({ assigneeId: "5", teamId: "2" });
    expect(callsOf("/conversations")[0]?.body).toMatchObject({ assignee_id: 5, team_id: 2 });
    expect(conversation).toMatchObject({ assignee: 5, team: 2 });
    expect(callsOf("/assignments").map(({ body }) => body)).toEqual([{ team_id: 2 }, { assignee_id: 5 }]);
  });

  it("should write nothing that is there already [F065: no write without a difference]", async () => {
    const options: LiveAgentOptions = {
      labels: ["bot"],
      priority: "high",
      assigneeId: "5",
      teamId: "2",
      customAttributes: { plan: "gold" },
    };
    stub = await openStub(server(fresh({ labels: ["bot"], priority: "high", assignee: 5, team: 2, custom_attributes: { plan: "gold" } })));
    await start(options);
    await stub.connection.updateHandover(makeHandover(), { options }, makeCall());
    expect(writes()).toEqual([]);
  });

  it("should go on without the calls that a server does not have, and say so in one line each", async () => {
    const missing = (): object => ({ status: 404, body: "" });
    const routes = {
      "GET /conversations/42/labels": missing,
      "POST /conversations/42/custom_attributes": missing,
      "POST /conversations/42/toggle_priority": missing,
      "POST /conversations/42/assignments": missing,
      "GET /assignable_agents": missing,
      "GET /agents": () => [{ id: 5 }],
    };
    stub = await openStub(server(fresh(), routes));
    logged.length = 0;
    await start({ labels: ["label-words"], priority: "low", assigneeId: "5", customAttributes: { plan: "plan-words" } });
    expect(logged.filter((line) => line.includes("could not be set"))).toHaveLength(4);
    expect(logged.join()).not.toContain("-words");
  });

  it("should cut attributes that are too long or large, and name them once without their content [F099: attributes]", async () => {
    stub = await openStub(server(fresh()));
    logged.length = 0;
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`property_${index}`, `value ${index}`]));
    await start({ customAttributes: { ...many, long: "words ".repeat(400), other: "more ".repeat(400), big: 10_000_000_000 } });
    const sent = callsOf("/conversations")[0]?.body["custom_attributes"] as Record<string, unknown>;
    expect(Object.keys(sent)).toHaveLength(34);
    for (const key of ["long", "other"]) expect(String(sent[key]).length).toBeLessThanOrEqual(1500);
    expect(sent["big"]).toBe("10000000000");
    const lines = logged.filter((line) => line.includes("shortened"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("long, other");
    expect(lines[0]).not.toContain("words");
  });
});

describe("a handover that is changed while it runs", () => {
  const handover = makeHandover({ contactId: "300" });

  it("should merge options and tell agents the new name", async () => {
    const conversation = fresh({ labels: ["vip"], custom_attributes: { tier: "A" }, assignee: 5 });
    stub = await openStub(server(conversation));
    const change = {
      options: { priority: "urgent" as const, labels: ["late"], customAttributes: { plan: "gold" } },
      user: { id: "ann", name: "Ann B.", isVerified: true, email: "ann@example.com", attributes: { city: "Berlin" } },
    };
    await stub.connection.updateHandover(handover, change, makeCall());
    expect(conversation).toMatchObject({
      labels: ["vip", "late"],
      priority: "urgent",
      custom_attributes: { tier: "A", plan: "gold" },
      assignee: 5,
    });
    expect(callsOf("PUT /some/path/api/v1/accounts/1/contacts/300").map(({ body }) => body)).toEqual([
      { name: "Ann B.", email: "ann@example.com", custom_attributes: { city: "Berlin" } },
    ]);
  });

  it("should leave an e-mail where another contact has it [F090: nobody is merged]", async () => {
    const taken = { status: 422, body: { message: "Email has already been taken", attributes: ["email"] } };
    stub = await openStub(server(fresh(), { "PUT /contacts/300": ({ body }) => ("email" in body ? taken : { payload: {} }) }));
    const user = { id: "ann", name: "Ann", isVerified: true, email: "ben@example.com" };
    await stub.connection.updateHandover(handover, { user }, makeCall());
    expect(callsOf("/contacts/300").map(({ body }) => body)).toEqual([{ name: "Ann", email: "ben@example.com" }, { name: "Ann" }]);
  });

  it("should refuse an unknown agent and leave the present one [F097: unknown assignee]", async () => {
    const conversation = fresh({ assignee: 5 });
    stub = await openStub(server(conversation));
    const error = await failureOf(stub.connection.updateHandover(handover, { options: { assigneeId: "77" } }, makeCall()));
    expect(error.code).toBe("ASSIGNEE_NOT_FOUND");
    expect([conversation.assignee, writes()]).toEqual([5, []]);
  });
});

describe("an inbox", () => {
  it("should be named somewhere", async () => {
    stub = await openStub(server(fresh()), { inboxId: undefined });
    expect(await failureOf(start({}))).toMatchObject({ code: "INBOX_NOT_CHOSEN", effect: "handover" });
    await start({ inboxId: "3" });
    expect(callsOf("/conversations")[0]?.body).toMatchObject({ inbox_id: 3 });
  });

  it("should be refused by name when agents could not answer in it, and leave nothing open [F176: can_reply]", async () => {
    stub = await openStub(
      server(fresh(), {
        "POST /conversations": () => ({ id: 42, status: "open", can_reply: false, created_at: Math.floor(Date.now() / 1000) }),
        "POST /toggle_status": () => ({ payload: { current_status: "resolved" } }),
      }),
    );
    const error = await failureOf(start({}));
    expect([error.code, error.effect]).toEqual(["REPLY_WINDOW_SET", "handover"]);
    expect(error.message).toMatch(/inbox 3\b.*agent_reply_time_window/);
    expect(callsOf("/toggle_status").map(({ body }) => body)).toEqual([{ status: "resolved" }]);
  });
});
