import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { LiveAgentSimulatorOptions } from "../src/index.ts";
import type { Answer, Bench } from "./harness.ts";
import { startBench } from "./harness.ts";

interface PublicBench extends Bench {
  /** A call of the public API of the first inbox. */
  client(method: string, path: string, body?: unknown): Promise<Answer>;
}

async function startPublic(options: LiveAgentSimulatorOptions = {}): Promise<PublicBench> {
  const bench = await startBench(options);
  const base = "/live-agent/public/api/v1/inboxes/simulator-inbox-1";
  return { ...bench, client: (method, path, body) => bench.http(method, `${base}${path}`, body) };
}

const notFound = { status: 404, error: "Not Found" };

describe("the inbox and the contact", () => {
  test("should show the inbox, and answer an unknown one as the framework does", async () => {
    const { client, http } = await startPublic();
    expect((await client("GET", "")).json).toMatchObject({
      identifier: "simulator-inbox-1",
      identity_validation_enabled: false,
      name: "Handover",
      csat_survey_enabled: false,
    });
    const unknown = await http("GET", "/live-agent/public/api/v1/inboxes/other");
    expect([unknown.status, unknown.json]).toEqual([404, notFound]);
  });

  test("should make a contact once per source id, and join one that is known by identifier, e-mail or phone", async () => {
    const { client, ok } = await startPublic();
    const first = (await client("POST", "/contacts", { source_id: "s1", identifier: "user-1", email: "uma@example.com", name: "Uma" }))
      .json;
    expect(first).toMatchObject({ source_id: "s1", name: "Uma", pubsub_token: expect.any(String) as string });
    expect((await client("POST", "/contacts", { source_id: "s1", name: "Other" })).json).toEqual(first);
    for (const fields of [{ identifier: "user-1" }, { email: "UMA@example.com" }]) {
      const joined = (await client("POST", "/contacts", fields)).json;
      expect([joined.id, joined.source_id === "s1"]).toEqual([first.id, false]);
    }
    expect((await ok("GET", `/contacts/${first.id}`)).payload.contact_inboxes).toHaveLength(3);
    expect((await client("GET", "/contacts/s1")).json).toEqual(first);
    expect((await client("GET", "/contacts/s9")).json).toEqual(notFound);
  });

  test("should change a contact, but not its identifier, and answer with the raw row", async () => {
    const { client } = await startPublic();
    await client("POST", "/contacts", { source_id: "s1", identifier: "user-1" });
    const changed = (await client("PATCH", "/contacts/s1", { name: "Uma", identifier: "user-2", custom_attributes: { a: 1 } })).json;
    expect(changed).toMatchObject({ name: "Uma", identifier: "user-1", account_id: 1, custom_attributes: { a: 1 } });
  });

  test("should want the hash of the identifier where the inbox says so, and show all inboxes to who is verified", async () => {
    const { client, ok, liveAgent, converse } = await startPublic();
    expect(createHmac("sha256", "hmac-token").update("user-1").digest("hex"), "the reference's vector").toBe(
      "39509216f526282ad0e679a04b3a0d37603dc6f1c6adcd650d536ebed9726a83",
    );
    const { hmac_token: key } = await ok("GET", "/inboxes/1");
    const identifier = "user of session-abc";
    const identifier_hash = createHmac("sha256", key).update(identifier).digest("hex");
    expect((await client("POST", "/contacts", { identifier, identifier_hash: "0".repeat(64) })).status).toBe(500);
    liveAgent.setInbox({ hmacMandatory: true });
    expect((await client("POST", "/contacts", { identifier })).status).toBe(500);

    const id = await converse();
    const second = await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    const { sender } = (await ok("GET", `/conversations/${id}`)).meta;
    await ok("POST", "/conversations", { inbox_id: second.id, contact_id: (sender as { id?: number }).id, source_id: "s2" });
    const own = async (): Promise<number> => (await client("GET", "/contacts/session-abc/conversations")).json.length;
    expect((await client("POST", "/contacts", { source_id: "session-abc", identifier, identifier_hash })).status).toBe(200);
    expect(await own(), "creation does not verify").toBe(1);
    expect((await client("PATCH", "/contacts/session-abc", { identifier, identifier_hash })).status).toBe(200);
    expect(await own()).toBe(2);
  });
});

describe("the customer's side of a conversation", () => {
  test("should open and speak without a token, always as the customer", async () => {
    const { client, liveAgent, told } = await startPublic();
    await client("POST", "/contacts", { source_id: "s1", name: "Uma" });
    const opened = (await client("POST", "/contacts/s1/conversations", { custom_attributes: { a: 1 } })).json;
    expect(opened).toMatchObject({ inbox_id: 1, status: "open", messages: [], contact: { name: "Uma" }, contact_last_seen_at: 0 });
    const path = `/contacts/s1/conversations/${opened.id}/messages`;
    const line = { content: "Hi", message_type: "outgoing", source_id: "m-1", content_attributes: { marker: "x" } };
    const said = (await client("POST", path, line)).json;
    expect(said).toMatchObject({ content: "Hi", message_type: 0, content_attributes: {}, conversation_id: opened.id });
    expect((await told()).find(({ event }) => event === "message_created")).toMatchObject({ message_type: "incoming", source_id: null });
    liveAgent.accept(String(opened.id));
    liveAgent.note(String(opened.id), { text: "between us" });
    liveAgent.say(String(opened.id), { text: "Hello" });
    expect(
      (await client("GET", path)).json.map(({ content }) => content),
      "no notes, no activity",
    ).toEqual(["Hi", "Hello"]);
    const after = (await client("GET", path)).json[1]!.id;
    expect((await client("GET", `${path}?before=${after}`)).json.map(({ content }) => content)).toEqual(["Hi"]);
  });

  test("should send files", async () => {
    const { client, url } = await startPublic();
    await client("POST", "/contacts", { source_id: "s1" });
    const { id } = (await client("POST", "/contacts/s1/conversations", {})).json;
    const body = new FormData();
    body.append("content", "Look");
    body.append("attachments[]", new Blob(["x"], { type: "image/png" }), "a.png");
    const path = `/live-agent/public/api/v1/inboxes/simulator-inbox-1/contacts/s1/conversations/${id}/messages`;
    const response = await fetch(`${url}${path}`, { method: "POST", body });
    expect(await response.json()).toMatchObject({ content: "Look", attachments: [{ file_type: "image" }] });
  });

  test("should show its typing at the desk and by webhook, without a type", async () => {
    const { client, converse, liveAgent, told } = await startPublic();
    const id = await converse();
    await told();
    const typing = (typing_status: string): Promise<Answer> =>
      client("POST", `/contacts/session-abc/conversations/${id}/toggle_typing`, { typing_status });
    const answer = await typing("on");
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(liveAgent.conversation(String(id)).isUserTyping).toBe(true);
    const [webhook] = await told();
    expect(webhook).toMatchObject({ event: "conversation_typing_on", is_private: false, user: { name: "Uma User" } });
    expect(webhook!.user).not.toHaveProperty("type");
    await typing("off");
    expect(liveAgent.conversation(String(id))).not.toHaveProperty("isUserTyping");
    await typing("on");
    await client("POST", `/contacts/session-abc/conversations/${id}/messages`, { content: "Hi" });
    expect(liveAgent.conversation(String(id)), "a message ends it").not.toHaveProperty("isUserTyping");
  });

  test("should mark what was sent before as read", async () => {
    const { client, converse, liveAgent, told, ok } = await startPublic();
    const id = String(await converse());
    for (const text of ["one", "two"]) liveAgent.say(id, { text });
    liveAgent.note(id, { text: "note" });
    await told();
    const answer = await client("POST", `/contacts/session-abc/conversations/${id}/update_last_seen`);
    expect([answer.status, answer.text]).toEqual([200, ""]);
    const updates = await told();
    expect(updates.map(({ event, content }) => [event, content])).toEqual([
      ["message_updated", "one"],
      ["message_updated", "two"],
    ]);
    const shown = await ok("GET", `/conversations/${id}`);
    expect(shown.contact_last_seen_at).toBeGreaterThan(0);
    expect((await ok("GET", `/conversations/${id}/messages`)).payload.filter(({ status }) => status === "read")).toHaveLength(2);
    expect(liveAgent.conversation(id).messages.every(({ isRead }) => isRead)).toBe(true);
    liveAgent.say(id, { text: "three" });
    expect(liveAgent.conversation(id).messages.at(-1)).not.toHaveProperty("isRead");
  });

  test("should end it as the customer, once", async () => {
    const { client, converse, liveAgent, told } = await startPublic();
    const id = String(await converse());
    await told();
    const end = (): Promise<Answer> => client("POST", `/contacts/session-abc/conversations/${id}/toggle_status`);
    expect((await end()).json.status).toBe("resolved");
    expect((await end()).json.status).toBe("resolved");
    expect((await told()).filter(({ event }) => event === "conversation_status_changed")).toHaveLength(1);
    expect(liveAgent.conversation(id).status).toBe("closed");
    const older = await startPublic({ profile: "2.16" });
    const other = await older.converse();
    expect((await older.client("POST", `/contacts/session-abc/conversations/${other}/toggle_status`)).json).toEqual(notFound);
  });

  test("should not see the conversations of others", async () => {
    const { client, converse } = await startPublic();
    await converse("s1");
    const other = await converse("s2");
    for (const path of ["", "/messages"]) {
      expect((await client("GET", `/contacts/s1/conversations/${other}${path}`)).json).toEqual(notFound);
    }
    expect((await client("POST", `/contacts/s1/conversations/${other}/toggle_typing`, { typing_status: "on" })).status).toBe(404);
    expect((await client("PATCH", `/contacts/s1/conversations/1/messages/9999`, {})).status).toBe(404);
  });
});
