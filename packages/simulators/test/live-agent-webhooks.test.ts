import { createHmac } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClock } from "../src/shared/clock.ts";
import { createWebhookSender } from "../src/shared/webhook-sender.ts";
import type { Bench, Loose } from "./harness.ts";
import { createManualClock, eventsOf, startBench } from "./harness.ts";

const startMs = Date.UTC(2026, 0, 1, 10);
const bodiesOf = (bench: Bench, event?: string): Loose[] =>
  bench.receiver.received.map((webhook) => webhook.body).filter((body) => event === undefined || body.event === event);

const contactInbox = {
  id: 701,
  contact_id: 301,
  inbox_id: 1,
  source_id: "session-abc",
  created_at: "2026-01-01T10:00:00.000Z",
  updated_at: "2026-01-01T10:00:00.000Z",
  hmac_verified: false,
  pubsub_token: expect.any(String) as string,
};
const contact = {
  additional_attributes: {},
  custom_attributes: {},
  email: null,
  id: 301,
  identifier: "user of session-abc",
  name: "Uma User",
  phone_number: null,
  thumbnail: "",
  blocked: false,
};
const ann = {
  id: 2,
  name: "Ann Agent",
  available_name: "Ann Agent",
  avatar_url: "",
  type: "user",
  availability_status: null,
  thumbnail: "",
};
const account = { id: 1, name: "Acme" };

/** The conversation as the webhooks of 4.15 show it, right after it was opened. */
const opened = {
  additional_attributes: {},
  can_reply: true,
  channel: "Channel::Api",
  contact_inbox: contactInbox,
  id: 1,
  inbox_id: 1,
  messages: [],
  labels: [],
  meta: { sender: { ...contact, type: "contact" }, assignee: null, assignee_type: null, team: null, hmac_verified: false },
  status: "open",
  custom_attributes: {},
  snoozed_until: null,
  unread_count: 0,
  first_reply_created_at: null,
  priority: null,
  waiting_since: startMs / 1000,
  agent_last_seen_at: 0,
  contact_last_seen_at: 0,
  last_activity_at: startMs / 1000,
  timestamp: startMs / 1000,
  created_at: startMs / 1000,
  updated_at: startMs / 1000,
  account,
};

describe("payloads", () => {
  test("should have the shape of an opened conversation (E4)", async () => {
    const bench = await startBench({ profile: "4.15" }, createManualClock(startMs));
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    expect(bodiesOf(bench)).toEqual([{ ...opened, event: "conversation_created" }]);
  });

  test("should have the shape of an agent's reply (E1), of its conversation update, and nothing of activity lines", async () => {
    const clock = createManualClock(startMs);
    const bench = await startBench({ profile: "4.15" }, clock);
    const id = String(await bench.converse());
    bench.liveAgent.accept(id, { agent: "Ann Agent" });
    await bench.liveAgent.webhooksIdle();
    clock.advance(60_000);
    bench.liveAgent.say(id, { text: "Hello **there**" });
    await bench.liveAgent.webhooksIdle();

    expect(bodiesOf(bench).map((body) => body.event)).toEqual([
      "conversation_created",
      "conversation_updated",
      "message_created",
      "conversation_updated",
    ]);
    const [message] = bodiesOf(bench, "message_created");
    const repliedAt = startMs / 1000 + 60;
    const push = {
      id: message!.id,
      content: "Hello **there**",
      account_id: 1,
      inbox_id: 1,
      conversation_id: 1,
      message_type: 1,
      created_at: repliedAt,
      updated_at: "2026-01-01T10:01:00.000Z",
      private: false,
      status: "sent",
      source_id: null,
      content_type: "text",
      content_attributes: {},
      sender_type: "User",
      sender_id: 2,
      external_source_ids: {},
      additional_attributes: {},
      processed_message_content: "Hello **there**",
      sentiment: {},
      conversation: { assignee_id: 2, unread_count: 0, last_activity_at: repliedAt, contact_inbox: { source_id: "session-abc" } },
      sender: ann,
    };
    const conversation = {
      ...opened,
      messages: [push],
      meta: { ...opened.meta, assignee: ann, assignee_type: "User" },
      first_reply_created_at: "2026-01-01T10:01:00.000Z",
      waiting_since: 0,
      agent_last_seen_at: repliedAt,
      last_activity_at: repliedAt,
      timestamp: repliedAt,
      updated_at: repliedAt,
    };
    expect(message).toEqual({
      account,
      additional_attributes: {},
      content_attributes: {},
      content_type: "text",
      content: "Hello **there**",
      conversation,
      created_at: "2026-01-01T10:01:00.000Z",
      id: message!.id,
      inbox: { id: 1, name: "Handover" },
      message_type: "outgoing",
      private: false,
      sender: { id: 2, name: "Ann Agent", email: "ann.agent@example.com", type: "user" },
      source_id: null,
      event: "message_created",
    });
    const updates = bodiesOf(bench, "conversation_updated");
    expect(updates[0]!.changed_attributes[0]).toEqual({ assignee_id: { previous_value: null, current_value: 2 } });
    expect(updates[1]).toEqual({ ...conversation, event: "conversation_updated", changed_attributes: expect.any(Array) as unknown[] });
    expect(updates[1]!.changed_attributes.map((change: object) => Object.keys(change)[0])).toEqual([
      "first_reply_created_at",
      "waiting_since",
      "updated_at",
    ]);
  });

  test("should echo incoming messages with a sender that has no type", async () => {
    const bench = await startBench({ profile: "4.15" }, createManualClock(startMs));
    const id = await bench.converse();
    await bench.api("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming", source_id: "m1" });
    await bench.liveAgent.webhooksIdle();
    const [echo] = bodiesOf(bench, "message_created");
    expect(echo).toMatchObject({ content: "Hi", message_type: "incoming", source_id: "m1" });
    expect(echo!.sender).toEqual({ account, avatar: "", ...contact });
  });

  test("should send private notes, with the last public line in the conversation", async () => {
    const bench = await startBench();
    const id = String(await bench.converse());
    bench.liveAgent.say(id, { text: "public" });
    bench.liveAgent.note(id, { text: "secret" });
    await bench.liveAgent.webhooksIdle();
    const note = bodiesOf(bench, "message_created").at(-1)!;
    expect(note).toMatchObject({ private: true, content: "secret" });
    expect(note.conversation.messages[0]!.content).toBe("public");
  });

  test("should tell a resolved conversation by status_changed, then updated (E3)", async () => {
    const bench = await startBench({ profile: "4.15" }, createManualClock(startMs));
    const id = String(await bench.converse());
    bench.liveAgent.close(id);
    await bench.liveAgent.webhooksIdle();
    const [changed] = bodiesOf(bench, "conversation_status_changed");
    expect(changed).toEqual({
      ...opened,
      status: "resolved",
      waiting_since: 0,
      event: "conversation_status_changed",
      changed_attributes: null,
    });
    const [updated] = bodiesOf(bench, "conversation_updated");
    expect(updated!.changed_attributes).toContainEqual({ status: { previous_value: "open", current_value: "resolved" } });
    expect(eventsOf(bench.receiver.received)).toEqual(["conversation_created", "conversation_status_changed", "conversation_updated"]);
  });

  test("should tell when the agent types (E6)", async () => {
    const bench = await startBench({ profile: "4.15" }, createManualClock(startMs));
    const id = String(await bench.converse());
    bench.liveAgent.type(id, { isTyping: true });
    bench.liveAgent.type(id, { isTyping: false });
    await bench.liveAgent.webhooksIdle();
    const [on] = bodiesOf(bench, "conversation_typing_on");
    const user = { id: 2, name: "Ann Agent", email: "ann.agent@example.com", type: "user" };
    expect(on).toEqual({ event: "conversation_typing_on", user, is_private: false, conversation: opened });
    expect(bodiesOf(bench, "conversation_typing_off")).toHaveLength(1);
  });

  test("should greet once after the first line of the customer, but not after replayed lines of the bot", async () => {
    const bench = await startBench({ greetingMessage: "Welcome" });
    const greeted = await bench.converse("s1");
    for (const content of ["Hi", "Anyone?"])
      await bench.api("POST", `/conversations/${greeted}/messages`, { content, message_type: "incoming" });
    const replayed = await bench.converse("s2");
    for (const type of ["outgoing", "incoming"])
      await bench.api("POST", `/conversations/${replayed}/messages`, { content: "x", message_type: type });
    await bench.liveAgent.webhooksIdle();
    const templates = bodiesOf(bench).filter((body) => body.message_type === "template");
    expect(templates).toEqual([expect.objectContaining({ content: "Welcome", sender: null, event: "message_created" })]);
    expect(templates[0]!.conversation.id).toBe(greeted);
  });

  test("should leave out in Live Agent what came with 4.14", async () => {
    const bench = await startBench();
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    expect(bodiesOf(bench)[0]).not.toHaveProperty("account");
  });
});

describe("signatures", () => {
  test("should sign timestamp and raw body with the inbox's secret in 4.15", async () => {
    const clock = createManualClock(startMs);
    const bench = await startBench({ profile: "4.15" }, clock);
    bench.liveAgent.setWebhookUrl(`${bench.receiver.url}/other`, "test-secret");
    const id = await bench.converse();
    await bench.api("POST", `/conversations/${id}/messages`, { content: "Grüße 👋", message_type: "incoming" });
    await bench.liveAgent.webhooksIdle();
    expect(bench.receiver.received).toHaveLength(2);
    for (const { headers, raw, path } of bench.receiver.received) {
      expect(path).toBe("/other");
      const expected = createHmac("sha256", "test-secret").update(`1767261600.${raw}`, "utf8").digest("hex");
      expect(headers["x-chatwoot-timestamp"]).toBe("1767261600");
      expect(headers["x-chatwoot-signature"]).toBe(`sha256=${expected}`);
      expect(headers["x-chatwoot-delivery"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("should not sign in Live Agent, and use the credentials of the address", async () => {
    const bench = await startBench();
    bench.liveAgent.setWebhookUrl(bench.receiver.url.replace("://", "://user:p%40ss@"));
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    const { headers } = bench.receiver.received[0]!;
    expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual([]);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      accept: "application/json",
      authorization: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
    });
  });
});

describe("delivery", () => {
  test("should leave when the answer to the call that caused it is out, and not hold up others", async () => {
    const { receiver } = await startBench();
    const noFault = { isDropped: false, isDuplicated: false, isReordered: false, delayMs: 0 };
    const sender = createWebhookSender({
      clock: createClock(undefined),
      timeoutMs: 5000,
      followsRedirects: false,
      forWebhook: () => noFault,
    });
    onTestFinished(() => sender.close());
    const enqueue = (lane: string): void =>
      sender.enqueue({ lane, event: lane, build: () => ({ url: `${receiver.url}/${lane}`, headers: {}, body: "{}" }) });
    const answer = Promise.withResolvers<undefined>();
    sender.after(answer.promise, () => enqueue("waits"));
    enqueue("goes");
    await receiver.waitForCount(1);
    expect(receiver.received.map((webhook) => webhook.path)).toEqual(["/goes"]);
    answer.resolve(undefined);
    await sender.idle();
    expect(receiver.received.map((webhook) => webhook.path)).toEqual(["/goes", "/waits"]);
  });

  test("should go one at a time and in order within a conversation, at once between conversations", async () => {
    const bench = await startBench();
    const slow = String(await bench.converse("s1"));
    const other = String(await bench.converse("s2"));
    await bench.liveAgent.webhooksIdle();
    const release: (() => void)[] = [];
    bench.receiver.respond = (response, webhook) => {
      if (String(webhook.body.conversation.id) === slow) release.push(() => response.end());
      else response.end();
    };
    for (const text of ["one", "two", "three"]) bench.liveAgent.note(slow, { text });
    bench.liveAgent.note(other, { text: "other" });
    await bench.receiver.waitForCount(4);
    expect(
      bodiesOf(bench, "message_created")
        .map((body) => body.content)
        .sort(),
    ).toEqual(["one", "other"]);
    for (const count of [5, 6]) {
      release.shift()!();
      await bench.receiver.waitForCount(count);
    }
    release.shift()!();
    await bench.liveAgent.webhooksIdle();
    const ofSlow = bodiesOf(bench, "message_created").filter((body) => String(body.conversation.id) === slow);
    expect(ofSlow.map((body) => body.content)).toEqual(["one", "two", "three"]);
  });

  test("should build the body when it is sent", async () => {
    const bench = await startBench();
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    bench.liveAgent.say(id, { text: "first" });
    bench.liveAgent.say(id, { text: "second" });
    await bench.liveAgent.webhooksIdle();
    const update = bodiesOf(bench, "conversation_updated").at(-1)!;
    expect(update.messages[0]!.content, "the update follows the first reply and shows the second").toBe("second");
  });

  test("should be tried once, mark the message failed and tell so", async () => {
    const bench = await startBench();
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    bench.receiver.received.length = 0;
    bench.receiver.respond = (response, webhook) => {
      response.statusCode = webhook.body.event === "message_created" ? 500 : 200;
      response.end();
    };
    bench.liveAgent.note(id, { text: "x" });
    await bench.liveAgent.webhooksIdle();
    expect(eventsOf(bench.receiver.received)).toEqual(["message_created", "message_updated"]);
    expect(bodiesOf(bench)[1]!.content_attributes).toEqual({ external_error: "500 Internal Server Error" });
    const [message] = (await bench.api("GET", `/conversations/${id}/messages`)).json.payload;
    expect(message!.status).toBe("failed");
  });

  test("should show a failed answer of an agent, and not go round in circles when every webhook fails", async () => {
    const bench = await startBench();
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    bench.receiver.respond = (response) => {
      response.statusCode = 503;
      response.end();
    };
    bench.liveAgent.say(id, { text: "x" });
    await bench.liveAgent.webhooksIdle();
    expect(bench.liveAgent.conversation(id).messages).toEqual([expect.objectContaining({ text: "x", isFailed: true })]);
    expect(bench.liveAgent.webhooks().filter((attempt) => attempt.event === "message_updated")).toHaveLength(1);
  });

  test("should give up after five seconds", async () => {
    const clock = createManualClock();
    const bench = await startBench({}, clock);
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    bench.receiver.respond = (response, webhook) => {
      if (webhook.body.event === "message_updated") response.end();
    };
    bench.liveAgent.note(id, { text: "x" });
    await bench.receiver.waitForCount(2);
    clock.advance(4999);
    expect(bench.receiver.received).toHaveLength(2);
    clock.advance(1);
    await bench.liveAgent.webhooksIdle();
    expect(bodiesOf(bench, "message_updated")[0]!.content_attributes).toEqual({ external_error: "Timed out" });
  });

  test.each([
    ["live-agent", "failed"],
    ["4.15", "delivered"],
  ] as const)("should treat a redirect in %s as %s", async (profile, outcome) => {
    const bench = await startBench({ profile });
    bench.receiver.respond = (response, webhook) => {
      if (webhook.path === "/hook") response.writeHead(307, { location: "/moved" });
      response.end();
    };
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    expect(bench.liveAgent.webhooks()).toEqual([expect.objectContaining({ event: "conversation_created", outcome })]);
  });

  test("should send nothing while no address is set", async () => {
    const bench = await startBench();
    bench.liveAgent.setWebhookUrl(null);
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    expect(bench.liveAgent.webhooks()).toEqual([]);
    expect(bench.receiver.received).toEqual([]);
  });
});
