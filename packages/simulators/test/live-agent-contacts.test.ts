import { describe, expect, test } from "vitest";
import { startBench } from "./harness.ts";

describe("contacts", () => {
  test("should create one, with a contact inbox only when an inbox is named", async () => {
    const { api } = await startBench();
    const bare = await api("POST", "/contacts", { name: "Uma", identifier: "u1", email: "Uma@Example.com" });
    expect(bare.status).toBe(200);
    expect(bare.json.payload.contact).toMatchObject({ name: "Uma", identifier: "u1", email: "uma@example.com", blocked: false });
    expect(bare.json.payload.contact_inbox).toEqual({ inbox: null, source_id: null });
    const linked = await api("POST", "/contacts", { inbox_id: "1", source_id: "s1", name: "Ugo" });
    expect(linked.json.payload.contact_inbox).toMatchObject({ source_id: "s1", inbox: { id: 1 } });
    expect((await api("POST", "/contacts", { inbox_id: 9 })).status).toBe(404);
  });

  test.each([
    [{ identifier: "u1" }, "Identifier has already been taken", "identifier"],
    [{ email: "UMA@example.com" }, "Email has already been taken", "email"],
    [{ phone_number: "+4930123456" }, "Phone number has already been taken", "phone_number"],
  ])("should refuse a second contact with %j and not name the first", async (fields, message, attribute) => {
    const { api } = await startBench();
    await api("POST", "/contacts", { identifier: "u1", email: "uma@example.com", phone_number: "+4930123456" });
    const answer = await api("POST", "/contacts", fields);
    expect([answer.status, answer.json]).toEqual([422, { message, attributes: [attribute] }]);
  });

  test("should answer 500 and keep nothing when another contact has the source id", async () => {
    const { api } = await startBench();
    await api("POST", "/contacts", { inbox_id: 1, source_id: "s1", identifier: "u1" });
    expect((await api("POST", "/contacts", { inbox_id: 1, source_id: "s1", identifier: "u2" })).status).toBe(500);
    expect((await api("GET", "/contacts/search?q=u2")).json.payload).toEqual([]);
  });

  test("should search substrings in any case, 15 on a page", async () => {
    const { api } = await startBench();
    for (let index = 1; index <= 16; index += 1) await api("POST", "/contacts", { name: `Person ${index}`, identifier: `person-${index}` });
    const first = (await api("GET", "/contacts/search?q=pERSON")).json;
    expect(first.payload).toHaveLength(15);
    expect(first.meta).toMatchObject({ count: 15, has_more: true });
    const second = (await api("GET", "/contacts/search?q=PERSON&page=2")).json;
    expect(second.payload).toHaveLength(1);
    expect(second.meta).toMatchObject({ current_page: "2", has_more: false });
    const exact = (await api("GET", "/contacts/search?q=person-1")).json.payload;
    expect(exact.length, "a substring match finds person-10 as well").toBeGreaterThan(1);
    expect((await api("GET", "/contacts/search")).status).toBe(422);
  });

  test("should filter exactly, and not see a contact that nothing identifies", async () => {
    const { api } = await startBench();
    for (const identifier of ["u1", "u10"]) await api("POST", "/contacts", { name: "Uma", identifier });
    await api("POST", "/contacts", { name: "Uma" });
    const filter = (conditions: object[]): ReturnType<typeof api> => api("POST", "/contacts/filter", { payload: conditions });
    const byIdentifier = { attribute_key: "identifier", filter_operator: "equal_to", values: ["U1"], query_operator: null };
    const found = (await filter([byIdentifier])).json;
    expect(found.meta).toMatchObject({ count: 1 });
    expect(found.payload[0]!.identifier).toBe("u1");
    const byName = { attribute_key: "name", filter_operator: "equal_to", values: ["uma"], query_operator: "AND" };
    expect((await filter([byName])).json.payload).toHaveLength(2);
    expect((await filter([byName, byIdentifier])).json.payload).toHaveLength(1);
    expect((await filter([{ ...byName, attribute_key: "shoe" }])).status).toBe(422);
  });

  test("should link a contact to the inbox once and find it by its source id", async () => {
    const { api } = await startBench();
    const { contact } = (await api("POST", "/contacts", { name: "Uma" })).json.payload;
    const path = `/contacts/${contact.id}/contact_inboxes`;
    const linked = await api("POST", path, { inbox_id: 1, source_id: "s1" });
    expect(linked.json).toEqual({ source_id: "s1", inbox: expect.objectContaining({ id: 1, name: "Handover" }) as object });
    expect((await api("POST", path, { inbox_id: 1, source_id: "s1" })).json).toEqual(linked.json);
    const other = (await api("POST", "/contacts", { name: "Ugo" })).json.payload.contact;
    expect((await api("POST", `/contacts/${other.id}/contact_inboxes`, { inbox_id: 1, source_id: "s1" })).status).toBe(500);

    expect((await api("POST", "/contact_inboxes/filter", { inbox_id: 1, source_id: "s1" })).json).toMatchObject({ id: contact.id });
    const unknown = await api("POST", "/contact_inboxes/filter", { inbox_id: 1, source_id: "s2" });
    expect([unknown.status, unknown.text]).toEqual([404, ""]);
    const shown = (await api("GET", `/contacts/${contact.id}`)).json.payload;
    expect(shown.contact_inboxes).toEqual([linked.json]);
  });

  test("should merge attributes when a contact changes", async () => {
    const { api } = await startBench();
    const { contact } = (await api("POST", "/contacts", { name: "Uma", custom_attributes: { a: 1 } })).json.payload;
    const changed = await api("PATCH", `/contacts/${contact.id}`, { name: "Uma U", custom_attributes: { b: 2 } });
    expect(changed.json.payload).toMatchObject({ name: "Uma U", custom_attributes: { a: 1, b: 2 } });
    expect((await api("GET", "/contacts/9")).text).toBe('{"error":"Resource could not be found"}');
  });

  test("should list the conversations of a contact, latest activity first", async () => {
    const { api, converse } = await startBench();
    const first = await converse();
    const contactId = (await api("GET", `/conversations/${first}`)).json.meta.sender.id;
    const body = { inbox_id: 1, contact_id: contactId, source_id: "session-abc" };
    const second = (await api("POST", "/conversations", body)).json.id;
    const { payload } = (await api("GET", `/contacts/${contactId}/conversations`)).json;
    expect(payload.map((conversation: { id: number }) => conversation.id)).toEqual([second, first]);
  });
});

describe("contacts in several inboxes", () => {
  test("should list where a contact can be reached, and merge two", async () => {
    const { ok, api, converse, liveAgent } = await startBench();
    const id = await converse("s1");
    const first = (await ok("GET", `/conversations/${id}`)).meta.sender.id;
    const second = (await ok("POST", "/contacts", { name: "Other", email: "other@example.com", inbox_id: 1, source_id: "s2" })).payload
      .contact.id;
    expect((await ok("GET", `/contacts/${first}/contactable_inboxes`)).payload.map((link) => link.source_id)).toEqual(["s1"]);
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    const merged = await ok("POST", "/actions/contact_merge", { base_contact_id: second, mergee_contact_id: first });
    expect(merged).toMatchObject({ id: second, email: "other@example.com", identifier: "user of s1" });
    expect((await api("GET", `/contacts/${first}`)).status).toBe(404);
    expect((await ok("GET", `/conversations/${id}`)).meta.sender.id).toBe(second);
    expect(liveAgent.conversation(String(id)).messages[0]!.name).toBe("Other");
    expect((await api("POST", "/actions/contact_merge", { base_contact_id: second, mergee_contact_id: second })).status).toBe(422);
  });

  test("should have source ids of any length and letters, also in the public API", async () => {
    const { ok, http, converse } = await startBench();
    const sourceId = `tenant/7?ü#${"x".repeat(220)}`;
    const id = await converse(sourceId);
    const path = `/live-agent/public/api/v1/inboxes/simulator-inbox-1/contacts/${encodeURIComponent(sourceId)}/conversations/${id}`;
    expect((await http("GET", path)).json.id).toBe(id);
    expect((await ok("POST", "/contact_inboxes/filter", { inbox_id: 1, source_id: sourceId })).name).toBe("Uma User");
  });
});
