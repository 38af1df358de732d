import { describe, expect, test } from "vitest";
import type { LiveAgentProfileName } from "../src/index.ts";
import type { Loose } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

const profiles = ["1.19", "2.16", "3.16", "4.2", "4.15", "live-agent"] as const;
const since = (first: LiveAgentProfileName): LiveAgentProfileName[] => profiles.slice(profiles.indexOf(first));
const isSince = (profile: LiveAgentProfileName, first: LiveAgentProfileName): boolean => since(first).includes(profile);

describe.each(profiles)("profile %s", (profile) => {
  test("should keep the marks of a message that this version keeps", async () => {
    const { ok, converse, told } = await startBench({ profile });
    const path = `/conversations/${await converse()}/messages`;
    const mark = { source_id: "m-1", content_attributes: { marker: "x", in_reply_to: 7 }, external_created_at: 1_767_261_600 };
    const posted = await ok("POST", path, { content: "Hi", message_type: "incoming", echo_id: "e-1", ...mark });
    const keepsAll = profile === "4.15" || profile === "live-agent";
    const kept = {
      source_id: isSince(profile, "3.16") ? "m-1" : null,
      content_attributes: { in_reply_to: 7, external_created_at: 1_767_261_600, ...(keepsAll ? { marker: "x" } : {}) },
    };
    expect(posted).toMatchObject({ echo_id: "e-1", ...kept });
    expect(posted.content_attributes).toEqual(kept.content_attributes);
    const [listed] = (await ok("GET", path)).payload;
    expect(listed).toMatchObject(kept);
    expect(listed).not.toHaveProperty("echo_id");
    expect("status" in posted).toBe(isSince(profile, "2.16"));
    const webhook = (await told()).find(({ event }) => event === "message_created")!;
    expect(webhook).toMatchObject({ ...kept, message_type: "incoming" });
    expect(webhook.conversation.messages[0]!.message_type).toBe(0);
    expect("type" in webhook.sender).toBe(profile === "1.19");
  });

  test("should answer calls that came later as an unknown address", async () => {
    const { api, ok, converse, http } = await startBench({ profile });
    const id = await converse();
    const { id: message } = await ok("POST", `/conversations/${id}/messages`, { content: "x" });
    const one = `/conversations/${id}`;
    const inbox = "/live-agent/public/api/v1/inboxes/simulator-inbox-1/contacts/session-abc";
    const later: [LiveAgentProfileName | "none", () => Promise<{ status: number; text: string }>][] = [
      ["2.16", () => api("POST", `${one}/custom_attributes`, { custom_attributes: {} })],
      ["2.16", () => api("POST", "/contacts/filter", { payload: [{ attribute_key: "name", filter_operator: "is_present", values: [] }] })],
      ["2.16", () => api("POST", "/conversations/filter", { payload: [{ attribute_key: "status", filter_operator: "is_present" }] })],
      ["3.16", () => api("POST", `${one}/toggle_priority`, { priority: "high" })],
      ["3.16", () => api("POST", "/contact_inboxes/filter", { inbox_id: 1, source_id: "session-abc" })],
      ["3.16", () => api("PATCH", one, { priority: "low" })],
      ["3.16", () => api("POST", `${one}/messages/${message}/retry`)],
      ["3.16", () => http("POST", `${inbox}${one}/toggle_typing`, { typing_status: "on" })],
      ["3.16", () => http("POST", `${inbox}${one}/update_last_seen`, {})],
      ["4.2", () => api("PATCH", `${one}/messages/${message}`, { status: "read" })],
      ["3.16", () => http("GET", "/live-agent/health")],
      ["none", () => api("GET", `${one}/nothing`)],
    ];
    for (const [first, call] of later) {
      const answer = await call();
      const isThere = first !== "none" && isSince(profile, first);
      if (isThere) expect(answer.status).toBe(200);
      else expect([answer.status, answer.text]).toEqual([404, '{"status":404,"error":"Not Found"}']);
    }
    const reset = await api("POST", "/inboxes/1/reset_secret");
    expect(reset.status).toBe(profile === "4.15" ? 200 : 404);
    const queue = await api("GET", `${one}/queue_details`);
    expect(queue.status, "nobody but Live Agent tells its queue").toBe(profile === "live-agent" ? 200 : 404);
  });

  test("should send the events of this version", async () => {
    const { ok, converse, liveAgent, told } = await startBench({ profile, greetingMessage: "Welcome" });
    const id = String(await converse());
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    const opened = await told();
    liveAgent.type(id, { isTyping: true });
    liveAgent.say(id, { text: "Hello" });
    liveAgent.assign(id, { agent: "Ben Agent" });
    liveAgent.close(id);
    const events = (list: readonly Loose[]): string[] => list.map(({ event, message_type: type }) => (type ? `${event} ${type}` : event));
    const template = isSince(profile, "3.16") ? ["message_created template"] : [];
    expect(events(opened)).toEqual(
      profile === "1.19" ? ["message_created incoming"] : ["conversation_created", "message_created incoming", ...template],
    );
    const typing = isSince(profile, "4.2") ? ["conversation_typing_on"] : [];
    const updated = profile === "1.19" ? [] : ["conversation_updated"];
    const ended = profile === "1.19" ? ["conversation_resolved"] : ["conversation_updated"];
    expect(events(await told())).toEqual([
      ...typing,
      "message_created outgoing",
      ...updated,
      ...updated,
      "conversation_status_changed",
      ...ended,
    ]);
  });

  test("should show conversations with the keys of this version", async () => {
    const { ok, converse, liveAgent, told } = await startBench({ profile });
    const id = await converse("s1", { custom_attributes: { a: 1 } });
    liveAgent.say(String(id), { text: "Hello", attachment: { name: "a.png", type: "image/png", content: "aGk=" } });
    const shown = await ok("GET", `/conversations/${id}`);
    const webhook = (await told()).find(({ event }) => event === "message_created")!;
    const push = webhook.conversation;
    const firstOf: Record<string, LiveAgentProfileName> = {
      labels: "2.16",
      custom_attributes: "2.16",
      created_at: "2.16",
      snoozed_until: "2.16",
      priority: "3.16",
      waiting_since: "3.16",
      last_activity_at: "3.16",
      updated_at: "4.2",
    };
    for (const [key, first] of Object.entries(firstOf)) expect([key, key in push]).toEqual([key, isSince(profile, first)]);
    expect("account" in push).toBe(profile === "4.15");
    expect("assignee_type" in push.meta).toBe(profile === "4.15" || profile === "live-agent");
    expect("pubsub_token" in push.contact_inbox).toBe(profile !== "1.19");
    expect("pubsub_token" in push.meta.sender).toBe(profile === "1.19");
    expect("attachments" in webhook, "at the top since 2.10").toBe(profile !== "1.19");
    const [file] = push.messages[0]!.attachments;
    expect(file).toMatchObject({ file_type: "image", data_url: expect.stringContaining("/rails/active_storage/") as string });
    expect([file!.extension, "file_size" in file!, "width" in file!, "content_type" in file!]).toEqual([
      profile === "1.19" ? null : "png",
      profile !== "1.19",
      isSince(profile, "3.16"),
      profile === "4.15",
    ]);
    expect("conversation" in push.messages[0]!).toBe(isSince(profile, "3.16"));
    expect("uuid" in shown).toBe(isSince(profile, "3.16"));
    expect("priority" in shown).toBe(isSince(profile, "3.16"));
    expect("cognigy_session_id" in shown).toBe(profile === "live-agent");
    const inbox = await ok("GET", "/inboxes/1");
    expect(["inbox_identifier", "hmac_token", "lock_to_single_conversation", "secret"].map((key) => key in inbox)).toEqual([
      profile !== "1.19",
      profile !== "1.19",
      profile !== "1.19",
      profile === "4.15",
    ]);
    expect(shown.custom_attributes).toEqual(profile === "1.19" ? undefined : { a: 1 });
  });

  test("should sign its webhooks or not", async () => {
    const { converse, receiver, liveAgent } = await startBench({ profile });
    const id = String(await converse());
    liveAgent.say(id, { text: "Hello" });
    await liveAgent.webhooksIdle();
    for (const { headers } of receiver.received) expect("x-chatwoot-signature" in headers).toBe(profile === "4.15");
  });

  test("should tell its version", async () => {
    const { http } = await startBench({ profile });
    const versions = { "1.19": "1.19.0", "2.16": "2.16.0", "3.16": "3.16.0", "4.2": "4.2.0", "4.15": "4.15.1", "live-agent": "4.12.1" };
    const { json } = await http("GET", "/live-agent/api");
    expect(json).toMatchObject({ version: versions[profile], timestamp: expect.any(String) as string });
    expect("queue_services" in json).toBe(profile !== "1.19");
  });

  test("should mark an agent's message as failed when its webhook was not taken, since 3.3", async () => {
    const bench = await startBench({ profile });
    const id = String(await bench.converse());
    bench.receiver.respond = (response) => response.writeHead(500).end();
    bench.liveAgent.say(id, { text: "x" });
    const events = (await bench.told()).map(({ event }) => event);
    expect(events.includes("message_updated")).toBe(isSince(profile, "3.16"));
    expect(bench.liveAgent.conversation(id).messages[0]!.isFailed).toBe(isSince(profile, "3.16") ? true : undefined);
  });

  test("should answer a source id of another contact, floods and a further page of messages as this version does", async () => {
    const { api, ok } = await startBench({ profile, messagesPerMinute: 3 });
    await ok("POST", "/contacts", { inbox_id: 1, source_id: "s1", name: "Uma", email: "uma@example.com" });
    const { contact } = (await ok("POST", "/contacts", { name: "Ugo" })).payload;
    const create = (sourceId: string): ReturnType<typeof api> =>
      api("POST", "/conversations", { inbox_id: 1, contact_id: contact.id, source_id: sourceId });
    expect((await create("s1")).status).toBe(isSince(profile, "3.16") || profile === "2.16" ? 422 : 500);
    const path = `/conversations/${(await create("s2")).json.id}/messages`;
    const ids: number[] = [];
    for (let index = 0; index < 3; index += 1) ids.push((await ok("POST", path, { content: "x", message_type: "incoming" })).id);
    expect((await api("POST", path, { content: "x", message_type: "incoming" })).status).toBe(isSince(profile, "3.16") ? 422 : 200);
    const { payload } = await ok("GET", `${path}?after=${ids[1]}`);
    expect(payload[0]!.id, "before 2.16 `after` is not known").toBe(profile === "1.19" ? ids[0] : ids[2]);
  });
});

describe("Chatwoot 1.19", () => {
  test("should send an agent's reply with exactly the keys of its time (E7)", async () => {
    const { converse, liveAgent, told } = await startBench({ profile: "1.19" });
    const id = String(await converse());
    liveAgent.accept(id);
    liveAgent.say(id, { text: "Hello", attachment: { name: "a.png", type: "image/png" } });
    const webhook = (await told()).find(({ event }) => event === "message_created")!;
    const { conversation } = webhook;
    const [line] = conversation.messages;
    const keys = (value: object): string => Object.keys(value).sort().join(" ");
    expect(keys(webhook)).toBe(
      "account content content_attributes content_type conversation created_at event id inbox message_type private sender source_id",
    );
    expect(keys(conversation)).toBe(
      "additional_attributes agent_last_seen_at can_reply channel contact_inbox contact_last_seen_at id inbox_id messages meta status timestamp unread_count",
    );
    expect(keys(conversation.contact_inbox)).toBe("contact_id created_at hmac_verified id inbox_id source_id updated_at");
    expect(keys(conversation.meta)).toBe("assignee sender");
    expect(keys(conversation.meta.sender)).toBe("email id identifier name phone_number pubsub_token thumbnail type");
    expect(keys(line!)).toBe(
      "account_id attachments content content_attributes content_type conversation_id created_at external_source_ids id inbox_id message_type private sender sender_id sender_type source_id status updated_at",
    );
    expect(keys(line!.sender)).toBe("availability_status available_name avatar_url id name type");
    expect(line!.attachments[0]).toMatchObject({ extension: null, thumb_url: "" });
    expect(keys(line!.attachments[0]!)).toBe("account_id data_url extension file_type id message_id thumb_url");
  });

  test("should answer a message that it cannot save with 200 and no id", async () => {
    const { api, converse } = await startBench({ profile: "1.19" });
    const answer = await api("POST", `/conversations/${await converse()}/messages`, { content: "x".repeat(150_001) });
    expect([answer.status, answer.json.id]).toEqual([200, null]);
  });

  test("should find only contacts with an e-mail address or a phone number", async () => {
    const { ok, api } = await startBench({ profile: "1.19" });
    await ok("POST", "/contacts", { identifier: "user-1", name: "Uma" });
    await ok("POST", "/contacts", { identifier: "user-2", name: "Ugo", email: "ugo@example.com" });
    const { payload, meta } = await ok("GET", "/contacts/search?q=user-");
    expect(payload.map(({ identifier }) => identifier)).toEqual(["user-2"]);
    expect(meta).not.toHaveProperty("has_more");
    const { id } = payload[0]!;
    const refused = await api("PATCH", `/contacts/${id}`, { identifier: "user-1" });
    expect([refused.status, refused.json]).toEqual([
      422,
      { message: "Identifier has already been taken", contact: expect.objectContaining({ id, identifier: "user-2" }) as object },
    ]);
  });

  test("should know the old name of pending, and no list of every status", async () => {
    const { ok, converse } = await startBench({ profile: "1.19" });
    const id = await converse();
    const toggled = await ok("POST", `/conversations/${id}/toggle_status`, { status: "bot" });
    expect(toggled.payload.current_status).toBe("pending");
    expect((await ok("GET", "/conversations?status=all")).data.payload).toEqual([]);
    expect((await ok("GET", "/conversations?status=pending")).data.payload).toHaveLength(1);
  });

  test("should show up to ten unread lines in a conversation", async () => {
    const { ok, converse } = await startBench({ profile: "1.19" });
    const id = await converse();
    for (let index = 0; index < 11; index += 1)
      await ok("POST", `/conversations/${id}/messages`, { content: "x", message_type: "incoming" });
    const { messages, unread_count: unread } = await ok("GET", `/conversations/${id}`);
    expect([messages.length, unread]).toEqual([10, 10]);
  });

  test("should ignore the assignee at creation, the single conversation and the source id filter", async () => {
    const { ok, converse } = await startBench({ profile: "1.19", lockToSingleConversation: true });
    const id = await converse("s1", { assignee_id: 2 });
    expect((await ok("GET", `/conversations/${id}`)).meta).not.toHaveProperty("assignee");
    const { contact } = (await ok("POST", "/contacts", { name: "Uma" })).payload;
    const body = { inbox_id: 1, contact_id: contact.id, source_id: "s2" };
    expect((await ok("POST", "/conversations", body)).id).not.toBe((await ok("POST", "/conversations", body)).id);
    expect((await ok("GET", "/conversations?source_id=s2")).data.payload).toHaveLength(3);
  });
});

describe("Live Agent", () => {
  test("should be built on another release when told so, and never sign", async () => {
    const { api, http, converse, receiver, liveAgent } = await startBench({ baseVersion: "1.19.0" });
    expect((await http("GET", "/live-agent/api")).json).toMatchObject({ version: "1.19.0" });
    const id = await converse();
    expect((await api("POST", `/conversations/${id}/toggle_priority`, { priority: "high" })).status).toBe(404);
    liveAgent.close(String(id), { abandon: true });
    await liveAgent.webhooksIdle();
    expect(receiver.received.map(({ body }) => [body.event, body.status])).toEqual([["conversation_status_changed", "abandoned"]]);
    const signing = await startBench({ baseVersion: "4.15.1" });
    await signing.converse();
    await signing.liveAgent.webhooksIdle();
    expect(Object.keys(signing.receiver.received[0]!.headers).filter((name) => name.startsWith("x-"))).toEqual([]);
  });

  test("should have its own columns and words, and hide its version when told so", async () => {
    const behaviour = { abandonedStatus: "closed_by_user", hasVersionRoutes: false, channelType: "Channel:Webchat", masksAgents: true };
    const { ok, http, converse, liveAgent, told } = await startBench({ behaviour });
    const id = await converse("s1", { additional_attributes: { cognigy_session_id: "session-1" } });
    expect(await ok("GET", `/conversations/${id}`)).toMatchObject({ cognigy_session_id: "session-1" });
    expect(await ok("GET", "/inboxes/1")).toMatchObject({ channel_type: "Channel:Webchat", cognigy_organization_id: null });
    liveAgent.say(String(id), { text: "Hello" });
    const message = (await told()).find(({ event }) => event === "message_created")!;
    expect(message.sender.name).toMatch(/^Agent x/);
    liveAgent.close(String(id), { abandon: true });
    expect((await told()).at(-1)).toMatchObject({ status: "closed_by_user" });
    expect((await ok("GET", "/conversations?status=closed_by_user")).data.payload).toHaveLength(1);
    expect((await http("GET", "/live-agent/api")).status).toBe(404);
    expect((await http("GET", "/live-agent/health")).status).toBe(404);
  });

  test("should refuse a message after the end, or reopen, when told so", async () => {
    const { api, converse, liveAgent } = await startBench({ behaviour: { afterEnd: "refuse" } });
    const id = await converse();
    liveAgent.close(String(id));
    const say = (): ReturnType<typeof api> => api("POST", `/conversations/${id}/messages`, { content: "still?", message_type: "incoming" });
    expect((await say()).status).toBe(422);
    liveAgent.setBehaviour({ afterEnd: "reopen" });
    expect((await say()).status).toBe(200);
    expect((await api("GET", `/conversations/${id}`)).json.status).toBe("open");
  });
});

describe("webhooks that nobody documents", () => {
  test("should carry numbers, unknown keys, doubles and hard breaks when told so", async () => {
    const behaviour = { messageTypes: "number", hasUnknownFields: true, doublesUpdates: true, hardBreaks: true } as const;
    const { converse, liveAgent, told, ok } = await startBench({ behaviour });
    const id = await converse();
    await told();
    liveAgent.say(String(id), { text: "one\ntwo" });
    const [message, ...updates] = await told();
    expect(message).toMatchObject({ message_type: 1, content: "one\\\ntwo", simulator_unknown: { nested: true } });
    expect(updates.map(({ event }) => event)).toEqual(["conversation_updated", "conversation_updated"]);
    expect(await ok("GET", `/conversations/${id}`)).toMatchObject({ simulator_unknown: { nested: true } });
  });

  test("should be any event, sender and content type", async () => {
    const { converse, liveAgent, told } = await startBench();
    const id = String(await converse());
    await told();
    liveAgent.sendEvent(id, { event: "conversation_teleported", data: { where: "moon" } });
    liveAgent.post(id, { text: "from Cognigy", as: "cognigy", contentType: "typescognigy" });
    liveAgent.post(id, { text: "upload please", as: "captain_assistant", contentType: 2017 });
    liveAgent.post(id, { text: "rule", as: "automation" });
    liveAgent.post(id, { text: "on behalf", as: "contact" });
    const [event, cognigy, captain, rule, contact] = await told();
    expect(event).toMatchObject({ event: "conversation_teleported", where: "moon", id: 1 });
    expect(cognigy).toMatchObject({ content_type: "typescognigy", sender: { type: "cognigy" } });
    expect(captain).toMatchObject({ content_type: 2017, sender: { type: "captain_assistant" } });
    expect(rule).toMatchObject({ message_type: "outgoing", sender: null, content_attributes: { automation_rule_id: 4 } });
    expect(contact).toMatchObject({ message_type: "incoming" });
    expect(liveAgent.conversation(id).messages.map(({ author }) => author)).toEqual(["bot", "bot", "system", "user"]);
  });

  test("should not reach private addresses where the operator did not allow it, and say so at the message", async () => {
    const { converse, liveAgent, receiver } = await startBench({ profile: "4.15", behaviour: { blocksPrivateWebhooks: true } });
    const id = String(await converse());
    liveAgent.say(id, { text: "Hello" });
    await liveAgent.webhooksIdle();
    expect(receiver.received).toEqual([]);
    expect(liveAgent.conversation(id).messages[0]).toMatchObject({ isFailed: true });
    expect(liveAgent.webhooks()[0]).toMatchObject({ outcome: "failed", error: "Hostname '127.0.0.1' has no public ip addresses" });
  });

  test("should not wait for each other in two queues, when told so", async () => {
    const bench = await startBench({ behaviour: { twoQueues: true } });
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    const held = Promise.withResolvers<undefined>();
    bench.receiver.respond = (response, { body }) => {
      if (body.event === "message_created") void held.promise.then(() => response.end());
      else response.end();
    };
    bench.liveAgent.say(id, { text: "Hello" });
    bench.liveAgent.close(id);
    await bench.receiver.waitForCount(5);
    expect(bench.receiver.received.map(({ body }) => body.event)).toContain("conversation_status_changed");
    expect(
      bench.liveAgent.webhooks().some(({ event }) => event === "message_created"),
      "still under way",
    ).toBe(false);
    held.resolve(undefined);
    await bench.liveAgent.webhooksIdle();
  });

  test("should come before the answer to the call that caused them, when told so", async () => {
    const { converse, receiver } = await startBench({ behaviour: { eventsBeforeAnswer: true } }, createManualClock());
    await converse();
    expect(receiver.received.map(({ body }) => body.event)).toEqual(["conversation_created"]);
  });
});
