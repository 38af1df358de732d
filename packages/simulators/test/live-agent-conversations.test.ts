import { describe, expect, test } from "vitest";
import type { Loose } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

const sourceIdsOf = (contact: Loose): string[] => contact.contact_inboxes.map((link) => link.source_id);

describe("opening a conversation", () => {
  test("should answer with the display id and keep what was given", async () => {
    const { api, converse } = await startBench();
    const id = await converse("s1", {
      additional_attributes: { session: "x", referer: "no url" },
      custom_attributes: { skills: ["billing"] },
    });
    expect(id).toBe(1);
    const conversation = (await api("GET", "/conversations/1")).json;
    expect(conversation).toMatchObject({
      id: 1,
      account_id: 1,
      inbox_id: 1,
      status: "open",
      priority: null,
      labels: [],
      messages: [],
      additional_attributes: { session: "x", referer: null },
      custom_attributes: { skills: ["billing"] },
      first_reply_created_at: 0,
      meta: { channel: "Channel::Api", sender: { name: "Uma User" }, hmac_verified: false },
    });
    expect((await api("GET", "/conversations/5001")).status, "the internal id is not an address").toBe(404);
  });

  test("should use the contact inbox of the same source id, and make a second one without", async () => {
    const { api } = await startBench();
    const { contact } = (await api("POST", "/contacts", { inbox_id: 1, source_id: "s1", name: "Uma" })).json.payload;
    await api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id, source_id: "s1" });
    expect(sourceIdsOf((await api("GET", `/contacts/${contact.id}`)).json.payload)).toEqual(["s1"]);
    await api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id });
    expect(sourceIdsOf((await api("GET", `/contacts/${contact.id}`)).json.payload)).toEqual([
      "s1",
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });

  test("should find the contact inbox by the source id alone", async () => {
    const { api } = await startBench();
    await api("POST", "/contacts", { inbox_id: 1, source_id: "s1", name: "Uma" });
    expect((await api("POST", "/conversations", { source_id: "s1" })).json.meta.sender.name).toBe("Uma");
    expect((await api("POST", "/conversations", { source_id: "s2" })).status).toBe(404);
  });

  test("should refuse a source id that another contact has", async () => {
    const { api } = await startBench();
    await api("POST", "/contacts", { inbox_id: 1, source_id: "s1", name: "Uma" });
    const { contact } = (await api("POST", "/contacts", { name: "Ugo" })).json.payload;
    const answer = await api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id, source_id: "s1" });
    expect([answer.status, answer.json]).toEqual([422, { error: "source_id should be unique" }]);
  });

  test("should refuse unknown contacts, inboxes, states and long attributes", async () => {
    const { api } = await startBench();
    const { contact } = (await api("POST", "/contacts", { name: "Uma" })).json.payload;
    const open = async (fields: object): Promise<number> =>
      (await api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id, ...fields })).status;
    expect(await open({ contact_id: 9 })).toBe(404);
    expect(await open({ inbox_id: 9 })).toBe(404);
    expect(await open({ status: "sleeping" })).toBe(500);
    expect(await open({ custom_attributes: { text: "x".repeat(1501) } })).toBe(422);
    expect(await open({ additional_attributes: { number: 10_000_000_000 } })).toBe(422);
  });

  test("should resolve the conversation of a blocked contact at once", async () => {
    const { api } = await startBench();
    const { contact } = (await api("POST", "/contacts", { name: "Uma", blocked: true })).json.payload;
    expect((await api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id })).json.status).toBe("resolved");
  });

  test("should return the last conversation again in an inbox with a single one", async () => {
    const { api } = await startBench({ lockToSingleConversation: true });
    const { contact } = (await api("POST", "/contacts", { name: "Uma" })).json.payload;
    const body = { inbox_id: 1, contact_id: contact.id, source_id: "s1" };
    const first = (await api("POST", "/conversations", body)).json.id;
    expect((await api("POST", "/conversations", body)).json.id).toBe(first);
  });
});

describe("listing conversations", () => {
  test("should filter by state, source id, assignee and words, and count", async () => {
    const { api, converse } = await startBench();
    for (const sourceId of ["s1", "s2", "s3"]) await converse(sourceId);
    await api("POST", "/conversations/2/toggle_status", { status: "resolved" });
    await api("POST", "/conversations/3/assignments", { assignee_id: 2 });
    await api("POST", "/conversations/3/messages", { content: "Where is my parcel?", message_type: "incoming" });
    const list = async (query: string): Promise<number[]> =>
      (await api("GET", `/conversations?${query}`)).json.data.payload.map(({ id }) => id);
    expect(await list("sort_by=created_at_asc")).toEqual([1, 3]);
    expect(await list("status=all&sort_by=created_at_asc")).toEqual([1, 2, 3]);
    expect(await list("status=all&source_id=s2")).toEqual([2]);
    expect(await list("source_id=s2")).toEqual([]);
    expect(await list("assignee_type=unassigned&inbox_id=1")).toEqual([1]);
    expect(await list("q=PARCEL")).toEqual([3]);
    expect(await list("inbox_id=7")).toEqual([]);
    const meta = { mine_count: 0, assigned_count: 1, unassigned_count: 1, all_count: 2 };
    expect((await api("GET", "/conversations/meta")).json).toEqual({ meta });
    expect((await api("GET", "/conversations?assignee_type=unassigned")).json.data.meta).toEqual(meta);
  });

  test("should show 25 on a page, all when asked for what changed lately", async () => {
    const clock = createManualClock();
    const { api, converse } = await startBench({}, clock);
    for (let index = 0; index < 26; index += 1) await converse(`s${index}`);
    const count = async (query: string): Promise<number> => (await api("GET", `/conversations?${query}`)).json.data.payload.length;
    expect(await count("page=1")).toBe(25);
    expect(await count("page=2")).toBe(1);
    expect(await count("updated_within=60")).toBe(26);
    clock.advance(61_000);
    expect(await count("updated_within=60")).toBe(0);
  });
});

describe("changing a conversation", () => {
  test("should toggle its state and refuse an unknown one", async () => {
    const { api, converse } = await startBench({ profile: "4.15" });
    const id = await converse();
    const toggle = (body: object): ReturnType<typeof api> => api("POST", `/conversations/${id}/toggle_status`, body);
    expect((await toggle({})).json).toEqual({
      meta: {},
      payload: { success: true, conversation_id: id, current_status: "resolved", snoozed_until: null },
    });
    expect((await toggle({})).json.payload.current_status).toBe("open");
    expect((await toggle({ status: "pending" })).json.payload.current_status).toBe("pending");
    expect((await toggle({})).json.payload.current_status).toBe("open");
    const snoozed = await toggle({ status: "snoozed", snoozed_until: 1_800_000_000 });
    expect(snoozed.json.payload).toMatchObject({ current_status: "snoozed", snoozed_until: "2027-01-15T08:00:00.000Z" });
    expect((await toggle({ status: "abandoned" })).status).toBe(500);
  });

  test("should know the abandoned state and keep it closed in Live Agent", async () => {
    const { api, converse } = await startBench();
    const id = await converse();
    await api("POST", `/conversations/${id}/toggle_status`, { status: "abandoned" });
    expect((await api("GET", `/conversations/${id}`)).json.status).toBe("abandoned");
    expect((await api("POST", `/conversations/${id}/toggle_status`, { status: "open" })).status).toBe(422);
  });

  test("should set the priority with an empty answer", async () => {
    const { api, converse } = await startBench();
    const id = await converse();
    const answer = await api("POST", `/conversations/${id}/toggle_priority`, { priority: "urgent" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect((await api("GET", `/conversations/${id}`)).json.priority).toBe("urgent");
    expect((await api("POST", `/conversations/${id}/toggle_priority`, { priority: "extreme" })).status).toBe(500);
    expect((await api("PATCH", `/conversations/${id}`, { priority: null })).json.priority).toBeNull();
  });

  test("should replace labels and custom attributes as a whole", async () => {
    const { api, converse } = await startBench();
    const id = await converse("s1", { custom_attributes: { a: 1 } });
    await api("POST", `/conversations/${id}/labels`, { labels: ["vip", "billing"] });
    expect((await api("POST", `/conversations/${id}/labels`, { labels: ["late"] })).json).toEqual({ payload: ["late"] });
    expect((await api("GET", `/conversations/${id}/labels`)).json).toEqual({ payload: ["late"] });
    const attributes = { custom_attributes: { b: 2 } };
    expect((await api("POST", `/conversations/${id}/custom_attributes`, attributes)).json).toEqual(attributes);
    expect((await api("GET", `/conversations/${id}`)).json.custom_attributes).toEqual({ b: 2 });
  });

  test("should assign, and unassign with an unknown id", async () => {
    const { api, converse } = await startBench();
    const id = await converse();
    const assign = (body: object): ReturnType<typeof api> => api("POST", `/conversations/${id}/assignments`, body);
    expect((await assign({ assignee_id: 3 })).json).toMatchObject({ id: 3, name: "Ben Agent" });
    const unknown = await assign({ assignee_id: 999 });
    expect([unknown.status, unknown.text]).toEqual([200, "null"]);
    expect((await api("GET", `/conversations/${id}`)).json.meta).not.toHaveProperty("assignee");
    expect((await assign({ team_id: 5 })).text).toBe("null");
  });

  test("should tell the place in the queue in Live Agent only", async () => {
    const { api, converse, liveAgent } = await startBench();
    await converse("s1");
    const id = await converse("s2");
    expect((await api("GET", `/conversations/${id}/queue_details`)).json).toEqual({ position: 2, estimated_wait_time: null });
    liveAgent.setQueue({ position: 7, estimatedWaitMs: 90_000 });
    expect((await api("GET", `/conversations/${id}/queue_details`)).json).toEqual({ position: 7, estimated_wait_time: 90_000 });
    liveAgent.say(String(id), { text: "Hello" });
    expect((await api("GET", `/conversations/${id}/queue_details`)).status).toBe(404);
    const upstream = await startBench({ profile: "4.15" });
    expect((await upstream.api("GET", `/conversations/${await upstream.converse()}/queue_details`)).status).toBe(404);
  });
});

describe("further calls of a conversation", () => {
  test("should filter by conditions that are joined from left to right", async () => {
    const { ok, api, converse, liveAgent } = await startBench();
    await converse("s1", { custom_attributes: { skills: ["billing"] } });
    await converse("s2");
    await converse("s3");
    liveAgent.close("3");
    liveAgent.assign("2", { agent: "Ben Agent" });
    const filter = async (...payload: object[]): Promise<number[]> =>
      (await ok("POST", "/conversations/filter", { payload })).payload.map(({ id }: { id: number }) => id);
    const open = { attribute_key: "status", filter_operator: "equal_to", values: ["open"], query_operator: "AND" };
    const bens = { attribute_key: "assignee_id", filter_operator: "equal_to", values: [3], query_operator: "OR" };
    const skilled = { attribute_key: "skills", filter_operator: "equal_to", values: ["Billing"] };
    expect(await filter(open)).toEqual([1, 2]);
    expect(await filter(open, bens)).toEqual([2]);
    expect(await filter(bens, skilled)).toEqual([1, 2]);
    expect(await filter({ ...bens, filter_operator: "is_not_present", values: [] })).toEqual([1, 3]);
    expect((await ok("POST", "/conversations/filter", { payload: [open] })).meta).toEqual({
      mine_count: 0,
      unassigned_count: 1,
      all_count: 2,
    });
    for (const payload of [[], [{ ...open, filter_operator: "sounds_like" }]]) {
      expect((await api("POST", "/conversations/filter", { payload })).status).toBe(422);
    }
  });

  test("should keep participants, and mark as seen and unread", async () => {
    const { ok, converse } = await startBench();
    const id = await converse();
    const participants = `/conversations/${id}/participants`;
    const idsOf = (list: Loose): number[] => list.map((agent) => agent.id);
    expect(idsOf(await ok("POST", participants, { user_ids: [2] }))).toEqual([2]);
    expect(idsOf(await ok("PATCH", participants, { user_ids: [3, 2] }))).toEqual([2, 3]);
    expect(idsOf(await ok("DELETE", participants, { user_ids: [2] }))).toEqual([3]);
    expect(idsOf(await ok("GET", participants))).toEqual([3]);
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    expect((await ok("POST", `/conversations/${id}/update_last_seen`)).unread_count).toBe(0);
    expect((await ok("POST", `/conversations/${id}/unread`)).unread_count).toBe(1);
    await ok("POST", `/conversations/${id}/transcript`, { email: "uma@example.com" });
  });

  test("should be opened with an assignee, a team and a first message that is outgoing by default", async () => {
    const { ok, converse, liveAgent, told } = await startBench();
    const made = liveAgent.setTeams({ teams: [{ name: "Support" }] }) as { teams: { id: number }[] };
    const id = await converse("s1", { assignee_id: 3, team_id: made.teams[0]!.id, message: { content: "Welcome" } });
    const shown = await ok("GET", `/conversations/${id}`);
    expect(shown.meta).toMatchObject({ assignee: { id: 3 }, team: { name: "Support" } });
    expect((await told()).map(({ event }) => event)).toEqual(["conversation_created", "message_created", "conversation_updated"]);
    expect(liveAgent.conversation(String(id))).toMatchObject({ status: "queued", messages: [{ author: "bot", text: "Welcome" }] });
    const both = { assignee_id: 2, team_id: null };
    expect((await ok("POST", `/conversations/${id}/assignments`, both)).id, "the assignee wins").toBe(2);
    expect((await ok("GET", `/conversations/${id}`)).meta.team).toBeDefined();
    expect(await ok("POST", `/conversations/${id}/assignments`, { team_id: 999 })).toBeNull();
    expect((await ok("GET", `/conversations/${id}`)).meta).not.toHaveProperty("team");
  });
});
