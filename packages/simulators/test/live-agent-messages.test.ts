import { describe, expect, test } from "vitest";
import type { Bench, Loose } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

async function openOne(bench: Bench): Promise<{ path: string; id: string; post(fields: object): ReturnType<Bench["api"]> }> {
  const id = await bench.converse();
  const path = `/conversations/${id}/messages`;
  return { path, id: String(id), post: (fields) => bench.api("POST", path, fields) };
}

const idsOf = (messages: Loose): number[] => messages.map(({ id }) => id);

describe("posting messages", () => {
  test("should be outgoing by default, sent by the token's owner", async () => {
    const bench = await startBench();
    const { post, id } = await openOne(bench);
    const answer = await post({
      content: "Hello",
      source_id: "m-1",
      echo_id: "e-1",
      content_attributes: { marker: "x" },
      external_created_at: 1_767_261_600,
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      content: "Hello",
      conversation_id: Number(id),
      inbox_id: 1,
      message_type: 1,
      content_type: "text",
      status: "sent",
      private: false,
      source_id: "m-1",
      echo_id: "e-1",
      content_attributes: { marker: "x", external_created_at: 1_767_261_600 },
      sender: { id: 1, type: "user" },
    });
    expect(answer.json.created_at).toBeTypeOf("number");
  });

  test("should send incoming ones as the contact", async () => {
    const bench = await startBench();
    const { post } = await openOne(bench);
    expect((await post({ content: "Hi", message_type: "incoming" })).json).toMatchObject({
      message_type: 0,
      sender: { type: "contact", name: "Uma User" },
      source_id: null,
    });
  });

  test("should take content attributes as a text, and not remember the echo id", async () => {
    const bench = await startBench();
    const { post, path } = await openOne(bench);
    await post({ content: "Hi", content_attributes: '{"marker":"y"}', echo_id: "e" });
    const [message] = (await bench.api("GET", path)).json.payload;
    expect(message!.content_attributes).toEqual({ marker: "y" });
    expect(message).not.toHaveProperty("echo_id");
  });

  test("should refuse what it cannot create with 422 and a text", async () => {
    const bench = await startBench();
    const { post } = await openOne(bench);
    expect((await post({ content: "x", message_type: "sideways" })).json).toEqual({ error: "'sideways' is not a valid message_type" });
    expect((await post({ content: "x", content_type: "hologram" })).status).toBe(422);
    const tooLong = await post({ content: "x".repeat(150_001) });
    expect([tooLong.status, tooLong.json.error]).toEqual([422, "Validation failed: Content is too long (maximum is 150000 characters)"]);
    expect((await bench.api("POST", "/conversations/77/messages", { content: "x" })).status).toBe(404);
  });

  test("should refuse more than the limit within a minute", async () => {
    const clock = createManualClock();
    const bench = await startBench({ messagesPerMinute: 3 }, clock);
    const { post } = await openOne(bench);
    for (let index = 0; index < 3; index += 1) expect((await post({ content: "x" })).status).toBe(200);
    const refused = await post({ content: "x" });
    expect([refused.status, refused.json]).toEqual([422, { error: "Validation failed: Too many messages" }]);
    clock.advance(60_001);
    expect((await post({ content: "x" })).status).toBe(200);
  });

  test("should give ids that count across conversations", async () => {
    const bench = await startBench();
    await bench.converse("s1");
    await bench.converse("s2");
    const ids: number[] = [];
    for (const conversation of [1, 2, 1])
      ids.push((await bench.api("POST", `/conversations/${conversation}/messages`, { content: "x" })).json.id);
    expect(ids[1]).toBe(ids[0]! + 1);
    expect(ids[2]).toBe(ids[0]! + 2);
  });

  test("should count a program's outgoing line as the first reply, as the product does", async () => {
    const bench = await startBench();
    const { post, id } = await openOne(bench);
    await post({ content: "replayed", message_type: "outgoing" });
    const conversation = (await bench.api("GET", `/conversations/${id}`)).json;
    expect(conversation.first_reply_created_at).toBeGreaterThan(0);
    expect(conversation.waiting_since).toBe(0);
    expect(bench.liveAgent.conversation(id)).toMatchObject({ status: "queued", messages: [{ author: "bot", text: "replayed" }] });
  });
});

describe("an incoming message after the end", () => {
  test("should leave the conversation closed in Live Agent", async () => {
    const bench = await startBench();
    const { post, id } = await openOne(bench);
    bench.liveAgent.close(id);
    expect((await post({ content: "still there?", message_type: "incoming" })).status).toBe(200);
    expect((await bench.api("GET", `/conversations/${id}`)).json.status).toBe("resolved");
    expect(bench.liveAgent.conversation(id).status).toBe("closed");
  });

  test("should reopen it in 4.15", async () => {
    const bench = await startBench({ profile: "4.15" });
    const { post, id } = await openOne(bench);
    bench.liveAgent.close(id);
    await post({ content: "still there?", message_type: "incoming" });
    expect((await bench.api("GET", `/conversations/${id}`)).json.status).toBe("open");
  });

  test.each(["live-agent", "4.15"] as const)("should wake a snoozed one in %s", async (profile) => {
    const bench = await startBench({ profile });
    const { post, id } = await openOne(bench);
    await bench.api("POST", `/conversations/${id}/toggle_status`, { status: "snoozed" });
    await post({ content: "hello?", message_type: "incoming" });
    expect((await bench.api("GET", `/conversations/${id}`)).json.status).toBe("open");
  });
});

describe("reading messages", () => {
  test("should page: the last 20, 20 before, 100 after, and what lies between", async () => {
    const bench = await startBench();
    const { post, path } = await openOne(bench);
    for (let index = 0; index < 130; index += 1) await post({ content: String(index), message_type: "incoming" });
    const read = async (query: string): Promise<number[]> => idsOf((await bench.api("GET", `${path}?${query}`)).json.payload);
    const last = await read("");
    expect(last).toHaveLength(20);
    expect(last).toEqual([...last].sort((left, right) => left - right));
    const before = await read(`before=${last[0]}`);
    expect(before).toHaveLength(20);
    expect(before.at(-1)).toBe(last[0]! - 1);
    const first = last[19]! - 129;
    const after = await read(`after=${first}`);
    expect(after).toHaveLength(100);
    expect(after[0]).toBe(first + 1);
    expect(await read(`after=${first}&before=${first + 3}`)).toEqual([first, first + 1, first + 2]);
    expect(await read(`after=${last[19]}`)).toEqual([]);
  });

  test("should list activity lines and notes unless asked not to", async () => {
    const bench = await startBench();
    const { post, path, id } = await openOne(bench);
    await post({ content: "Hi", message_type: "incoming" });
    bench.liveAgent.accept(id);
    bench.liveAgent.note(id, { text: "careful" });
    const read = async (query: string): Promise<[number | string, boolean][]> =>
      (await bench.api("GET", `${path}${query}`)).json.payload.map((message) => [message.message_type, message.private]);
    expect(await read("")).toEqual([
      [0, false],
      [2, false],
      [1, true],
    ]);
    expect(await read("?filter_internal_messages=1")).toEqual([[0, false]]);
    const { meta } = (await bench.api("GET", path)).json;
    expect(meta).toMatchObject({ contact: { name: "Uma User" }, assignee: { name: "Ann Agent" }, labels: [] });
  });
});

describe("changing messages", () => {
  test("should set the delivery status, but never from read back to delivered", async () => {
    const bench = await startBench();
    const { path, id } = await openOne(bench);
    bench.liveAgent.say(id, { text: "Hello" });
    const [message] = (await bench.api("GET", path)).json.payload;
    const set = async (body: object): Promise<string> => (await bench.api("PATCH", `${path}/${message!.id}`, body)).json.status;
    expect(await set({ status: "read" })).toBe("read");
    expect(await set({ status: "delivered" })).toBe("read");
    expect(await set({ status: "gone" })).toBe("read");
    expect(await set({ status: "failed", external_error: "too long" })).toBe("failed");
    const [failed] = (await bench.api("GET", path)).json.payload;
    expect(failed!.content_attributes).toEqual({ external_error: "too long" });
    expect((await bench.api("PATCH", `${path}/1`, { status: "read" })).status).toBe(404);
  });

  test("should replace the content of a deleted one", async () => {
    const bench = await startBench();
    const { path, post } = await openOne(bench);
    const { id } = (await post({ content: "secret" })).json;
    expect((await bench.api("DELETE", `${path}/${id}`)).text).toBe("");
    const [message] = (await bench.api("GET", path)).json.payload;
    expect(message!.content_attributes).toEqual({ deleted: true });
    expect(message!.content).not.toContain("secret");
    await bench.liveAgent.webhooksIdle();
    expect(bench.receiver.received.at(-1)!.body).toMatchObject({ event: "message_updated", id, content_attributes: { deleted: true } });
  });
});
