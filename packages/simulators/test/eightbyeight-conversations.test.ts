import { describe, expect, test } from "vitest";
import { brief, embedded, startEightbyeight } from "./eightbyeight-harness.ts";
import { createManualClock } from "./harness.ts";

const user = {
  name: "Jamila",
  userId: "user-1",
  email: "jamila@example.com",
  language: "en",
  additionalProperties: [{ key: "handover", value: "h-1" }],
};

describe("creating a conversation", () => {
  test("should answer 202 with its id and then tell: created, queued, active", async () => {
    const clock = createManualClock();
    const { api, simulator, told, receiver } = await startEightbyeight({}, {}, clock);
    const answer = await api("POST", "/conversations", {
      channelId: simulator.channelId,
      user,
      assignment: { type: "queue", id: "102" },
      history: {
        messages: [
          { authorType: "user", text: "Where is my parcel" },
          { authorType: "bot", text: "One moment, please" },
        ],
      },
    });
    const conversationId = answer.json["conversationId"];
    expect([answer.status, answer.json]).toEqual([
      202,
      { conversationId: expect.stringMatching(/^[\w-]{22}$/) as string, createdAt: "2026-01-01T10:00:00.000Z" },
    ]);
    const update = { assignment: { type: "queue", id: "102" }, user, channel: "ChatAPI" };
    const envelope = { conversationId, timestamp: clock.now() };
    expect(await told()).toEqual([
      { eventType: "CONVERSATION_UPDATE", ...envelope, data: { state: "created", ...update } },
      { eventType: "QUEUED", ...envelope, data: { queueId: "102", queueName: "Sales" } },
      { eventType: "CONVERSATION_UPDATE", ...envelope, data: { state: "active", ...update } },
    ]);
    expect(new Set(receiver.received.map(({ headers }) => headers["x-8x8-event-id"])).size).toBe(3);
    expect((await api("GET", `/conversations/${String(conversationId)}`)).json).toEqual({
      id: conversationId,
      channelId: simulator.channelId,
      assignment: { type: "queue", id: "102" },
      user,
      state: "active",
    });
    expect(simulator.conversation(String(conversationId))).toMatchObject({
      status: "queued",
      user: "Jamila",
      messages: [
        { author: "user", text: "Where is my parcel" },
        { author: "bot", text: "One moment, please" },
      ],
    });
  });

  test("should use the queue of the channel, or the script that is named", async () => {
    const { api, converse, told } = await startEightbyeight();
    const id = await converse();
    expect((await api("GET", `/conversations/${id}`)).json["assignment"]).toEqual({ type: "queue", id: "101" });
    await told();
    await converse({ assignment: { type: "script", id: "welcome" } });
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE created script", "CONVERSATION_UPDATE active script"]);
  });

  test("should tell the first event before the answer, when told to", async () => {
    const { api, simulator, receiver, told } = await startEightbyeight({}, { eventsBeforeAnswer: true });
    let isAnswered = false;
    const wasAnswered: boolean[] = [];
    receiver.respond = (response) => {
      wasAnswered.push(isAnswered);
      response.end();
    };
    await api("POST", "/conversations", { channelId: simulator.channelId, user: {} });
    isAnswered = true;
    await told();
    expect(wasAnswered[0]).toBe(false);
    simulator.setWebhookUrl(null);
    expect((await api("POST", "/conversations", { channelId: simulator.channelId, user: {} })).status).toBe(202);
  });

  test("should stay created until an agent comes, when told to", async () => {
    const { api, converse, simulator, told } = await startEightbyeight({}, { activates: false });
    const id = await converse();
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE created queue", "QUEUED 101"]);
    expect((await api("GET", `/conversations/${id}`)).json["state"]).toBe("created");
    simulator.accept(id);
    expect((await api("GET", `/conversations/${id}`)).json["state"]).toBe("active");
  });

  test.each([
    [{ user: undefined }, "invalid_json_object"],
    [{ channelId: "unknown" }, "invalid_channel"],
    [{ channelId: undefined }, "invalid_parameter"],
    [{ assignment: { type: "queue", id: "999" } }, "invalid_queue"],
    [{ assignment: { type: "agent", id: "101" } }, "invalid_assignment"],
    [{ user: { name: null } }, "invalid_parameter"],
    [{ user: { additionalProperties: [{ key: "a", value: 7 }] } }, "invalid_parameter"],
    [{ user: { additionalProperties: Array.from({ length: 31 }, (_, index) => ({ key: `k${index}`, value: "v" })) } }, "invalid_parameter"],
    [{ history: { messages: Array.from({ length: 201 }, () => ({ authorType: "user", text: "x" })) } }, "invalid_parameter"],
    [{ history: { messages: [{ authorType: "agent", text: "x" }] } }, "invalid_json_object"],
  ])("should refuse %j", async (wrong, code) => {
    const { api, simulator } = await startEightbyeight();
    const answer = await api("POST", "/conversations", { channelId: simulator.channelId, user: {}, ...wrong });
    expect([answer.status, answer.json]).toEqual([
      400,
      { message: expect.any(String) as string, errors: [{ code, message: expect.any(String) as string }] },
    ]);
    expect(simulator.conversations()).toEqual([]);
  });

  test("should take 200 history messages and 30 properties, and more when told to", async () => {
    const { converse, simulator } = await startEightbyeight();
    const fields = (history: number, properties: number): object => ({
      user: { additionalProperties: Array.from({ length: properties }, (_, index) => ({ key: `k${index}`, value: "v" })) },
      history: { messages: Array.from({ length: history }, () => ({ authorType: "user", text: "x" })) },
    });
    expect(simulator.conversation(await converse(fields(200, 30))).messages).toHaveLength(200);
    simulator.setBehaviour({ enforcesLimits: false });
    expect(simulator.conversation(await converse(fields(201, 31))).messages).toHaveLength(201);
  });
});

describe("finding conversations", () => {
  test("should list 20 on a page, sorted by id, and find by a property", async () => {
    const { api, converse } = await startEightbyeight();
    for (let index = 0; index < 21; index += 1) {
      await converse({ user: { name: `User ${index}`, additionalProperties: [{ key: "handover", value: `h-${index}` }] } });
    }
    const first = await api("GET", "/conversations");
    const ids = embedded(first, "conversations").map(({ id }) => String(id));
    expect(ids).toEqual([...ids].sort((left, right) => (left < right ? -1 : 1)));
    expect(ids).toHaveLength(20);
    expect(first.json["page"]).toEqual({ size: 20, number: 0, totalElements: 21, totalPages: 2 });
    expect(embedded(await api("GET", "/conversations?page=1"), "conversations")).toHaveLength(1);
    expect((await api("GET", "/conversations?page=2")).json).not.toHaveProperty("_embedded");
    const namesOf = async (query: string): Promise<unknown[]> =>
      embedded(await api("GET", `/conversations?${query}`), "conversations").map(
        (conversation) => (conversation["user"] as { name: string }).name,
      );
    expect(await namesOf("filter=user.additionalProperties.value==h-7")).toEqual(["User 7"]);
    expect(await namesOf("filter=user.name==Nobody,(user.name==User 3;state!=idle)")).toEqual(["User 3"]);
    expect((await namesOf("sort=user.name:desc&size=2")).slice(0, 2)).toEqual(["User 9", "User 8"]);
    for (const query of ["filter=name=", "filter=(a==b", "sort=id:up", "size=0", "page=x"]) {
      expect((await api("GET", `/conversations?${query}`)).status).toBe(400);
    }
  });

  test("should leave out the properties, when told to", async () => {
    const { api, converse, told } = await startEightbyeight({}, { keepsProperties: false });
    const id = await converse({ user });
    expect((await api("GET", `/conversations/${id}`)).json["user"]).not.toHaveProperty("additionalProperties");
    expect(JSON.stringify(await told())).not.toContain("h-1");
  });

  test("should answer 404 to an unknown one, with texts, or with objects for the signals", async () => {
    const { api } = await startEightbyeight();
    const answer = await api("GET", "/conversations/unknown");
    expect([answer.status, answer.json]).toEqual([404, { message: expect.any(String) as string, errors: [expect.any(String)] }]);
    for (const signal of ["typing", "thinking", "read-receipt", "post-agent-assignment"]) {
      const refused = await api("POST", `/conversations/unknown/${signal}`, {});
      expect([refused.status, refused.json["errors"]]).toEqual([
        404,
        [{ code: "resource_not_found", message: expect.any(String) as string }],
      ]);
    }
  });

  test("should delete none: there is no such call", async () => {
    const { api, converse, simulator } = await startEightbyeight();
    const id = await converse();
    expect((await api("DELETE", `/conversations/${id}`)).status).toBe(404);
    expect(simulator.conversation(id).status).toBe("queued");
  });
});

describe("changing a conversation", () => {
  test("should move it to another queue while it waits", async () => {
    const { api, converse, told } = await startEightbyeight();
    const id = await converse();
    await told();
    const answer = await api("PATCH", `/conversations/${id}`, { assignment: { type: "queue", id: "102" } });
    expect([answer.status, answer.json]).toEqual([202, expect.objectContaining({ id, assignment: { type: "queue", id: "102" } })]);
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE active queue", "QUEUED 102"]);
    expect((await api("PATCH", `/conversations/${id}`, { assignment: { type: "queue", id: "999" } })).json["errors"]).toEqual([
      expect.objectContaining({ code: "invalid_queue" }),
    ]);
  });

  test("should not move it away from an agent", async () => {
    const { api, converse, simulator } = await startEightbyeight();
    const id = await converse();
    simulator.accept(id);
    expect((await api("PATCH", `/conversations/${id}`, { assignment: { type: "queue", id: "102" } })).status).toBe(400);
    expect(simulator.conversation(id).status).toBe("active");
  });

  test("should change the user: PATCH in part, PUT as a whole, nothing at all for an empty PATCH", async () => {
    const { api, converse, told } = await startEightbyeight();
    const id = await converse({ user });
    await told();
    expect((await api("PATCH", `/conversations/${id}`, { user: { company: "Acme" } })).json["user"]).toEqual({ ...user, company: "Acme" });
    expect(await told()).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ user: { ...user, company: "Acme" } }) as object }),
    ]);
    expect((await api("PUT", `/conversations/${id}`, { user: { name: "Jim" } })).json["user"]).toEqual({ name: "Jim" });
    await told();
    expect((await api("PATCH", `/conversations/${id}`, {})).status).toBe(202);
    expect(await told()).toEqual([]);
  });

  test("should show who takes part and the interactions", async () => {
    const { api, converse, simulator } = await startEightbyeight();
    const id = await converse({ history: { messages: [{ authorType: "bot", text: "Hello" }] } });
    simulator.accept(id);
    const participants = embedded(await api("GET", `/conversations/${id}/participants`), "participants");
    expect(participants.map(({ type, removed }) => [type, removed])).toEqual([
      ["user", false],
      ["bot", false],
      ["agent", false],
    ]);
    const [interaction] = embedded(await api("GET", `/conversations/${id}/interactions`), "interactions");
    expect(interaction).toEqual({
      id: expect.stringMatching(/^int-.+-chat-00-acme01$/) as string,
      startTime: expect.stringMatching(/Z$/) as string,
    });
    simulator.close(id);
    expect(embedded(await api("GET", `/conversations/${id}/interactions`), "interactions")[0]).toHaveProperty("endTime");
  });
});

describe("the customer's end", () => {
  test("should remove the customer, then tell that everybody left and that it is idle", async () => {
    const { api, converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    simulator.accept(id);
    await told();
    const leave = () => api("PATCH", `/conversations/${id}/participants/user`, { removed: true });
    expect((await leave()).status).toBe(204);
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED user left", "MEMBERS_CHANGED agent left", "CONVERSATION_UPDATE idle agent"]);
    expect(simulator.conversation(id).status).toBe("closed");
    expect((await leave()).status).toBe(204);
    expect(await told()).toEqual([]);
    expect((await api("PATCH", `/conversations/${id}/participants/user`, { removed: false })).status).toBe(400);
  });

  test("should tell of it in another order, or in part", async () => {
    const { api, converse, simulator, told } = await startEightbyeight({}, { customerLeaveEvents: ["idle", "agent-left"] });
    const id = await converse();
    simulator.accept(id);
    await told();
    await api("PATCH", `/conversations/${id}/participants/user`, { removed: true });
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE idle agent", "MEMBERS_CHANGED agent left"]);
  });

  test("should revive with a later line of the user, but not with one of the bot", async () => {
    const { api, converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    await api("PATCH", `/conversations/${id}/participants/user`, { removed: true });
    await told();
    await api("POST", `/conversations/${id}/messages`, { authorType: "bot", text: "Bye" });
    expect(simulator.conversation(id).status).toBe("closed");
    await told();
    expect((await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Wait" })).status).toBe(202);
    expect(brief(await told())).toEqual(["MESSAGE Wait", "CONVERSATION_UPDATE active queue", "QUEUED 101"]);
    expect(simulator.conversation(id).status).toBe("queued");
    expect(embedded(await api("GET", `/conversations/${id}/interactions`), "interactions")).toHaveLength(2);
  });

  test("should refuse a later line of the user, when told to", async () => {
    const { api, converse, simulator } = await startEightbyeight({}, { afterEnd: "refuse" });
    const id = await converse();
    simulator.close(id);
    expect((await api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "Wait" })).status).toBe(400);
    expect(simulator.conversation(id)).toMatchObject({ status: "closed", messages: [] });
  });
});

describe("after the agents", () => {
  test("should give the conversation back to a webhook instead of ending it", async () => {
    const { api, converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    const configuration = { notifyChannelWebhookIfExists: "false", maxTotalMinutes: 300, userTimeoutInMinutes: 150 };
    const answer = await api("POST", `/conversations/${id}/post-agent-assignment`, {
      type: "webhook",
      id: simulator.webhookId,
      configuration,
    });
    expect([answer.status, answer.text]).toEqual([201, ""]);
    simulator.accept(id);
    await told();
    simulator.close(id);
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent left", "CONVERSATION_UPDATE active webhook"]);
    expect(simulator.conversation(id).status).toBe("closed");
  });

  test.each([
    { type: "queue" },
    { id: "unknown" },
    { configuration: { maxTotalMinutes: 19 } },
    { configuration: { userTimeoutInMinutes: 301 } },
    { configuration: { notifyChannelWebhookIfExists: false } },
  ])("should refuse %j", async (wrong) => {
    const { api, converse, simulator } = await startEightbyeight();
    const fields = { type: "webhook", id: simulator.webhookId, ...wrong };
    const answer = await api("POST", `/conversations/${await converse()}/post-agent-assignment`, fields);
    expect([answer.status, answer.json]).toEqual([
      400,
      {
        message: expect.any(String) as string,
        errors: [{ code: "invalid_parameter", message: expect.any(String) as string }],
        referenceId: expect.any(String) as string,
      },
    ]);
  });
});

describe("a conversation of the vendor's own channel", () => {
  test("should be told to the bot, answered by it, and handed over by its assignment", async () => {
    const { api, simulator, told } = await startEightbyeight();
    const { id } = simulator.openConversation({ name: "Wanda", text: "Hi" });
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE created webhook", "CONVERSATION_UPDATE active webhook", "MESSAGE Hi"]);
    expect(() => simulator.accept(id)).toThrow("A bot has the conversation.");
    expect((await api("POST", `/conversations/${id}/messages`, { authorType: "bot", text: "Hello" })).status).toBe(202);
    await told();
    const answer = await api("PATCH", `/conversations/${id}`, { assignment: { type: "queue", id: "101" } });
    expect(answer.status).toBe(202);
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE active queue", "QUEUED 101"]);
    simulator.accept(id);
    simulator.customerSays(id, { text: "Are you there?" });
    expect((await told()).at(-1)).toMatchObject({ data: { sender: { type: "user" }, text: "Are you there?" } });
  });
});
