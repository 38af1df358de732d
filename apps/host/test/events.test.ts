import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { entriesOf, openEvents, readUntil } from "./support/read-events.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

const silent = { ...supportEndpoint, token: "silent", bot: "none" };
const root = { limits: { perConversation: { messages: 10_000, seconds: 10 } } };

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({
    root,
    endpoints: [supportEndpoint, silent],
    host: { streamTimes: { commentEveryMs: 50, slowReaderMs: 200 } },
  });
});
afterAll(() => host.stop());

let count = 0;
const newUrl = (endpoint = "silent") => host.conversation(`events ${(count += 1)}`, endpoint);

async function write(url: string, texts: readonly string[]): Promise<void> {
  for (const [index, text] of texts.entries()) await send("POST", `${url}/messages`, { id: `m${index}`, text });
}

describe("the stream", () => {
  test("should have the form of server-sent events and forbid buffering", async () => {
    const url = newUrl();
    await write(url, ["One\nline\r\nand another"]);
    const reader = await openEvents(`${url}/events`);
    const events = await reader.until((all) => all.some(({ event }) => event === "entry"));
    reader.close();
    expect(events.find(({ event }) => event === "entry")).toMatchObject({ id: "1", data: { seq: 1, text: "One\nline\r\nand another" } });
    expect(Object.fromEntries(reader.response.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
  });

  test("should be empty for a conversation that nobody knows, and go on when it begins", async () => {
    const url = newUrl();
    const reader = await openEvents(`${url}/events`);
    expect(reader.response.status).toBe(200);
    await write(url, ["First"]);
    expect(entriesOf(await reader.until((all) => entriesOf(all).length === 1))[0]?.text).toBe("First");
    reader.close();
  });

  test("should send comments while nothing happens", async () => {
    const reader = await openEvents(`${newUrl()}/events`);
    await reader.until((all) => all.filter(({ comment }) => comment === "still here").length >= 2);
    reader.close();
  });

  test("should show everybody everything (two readers) [F026 both see all messages]", async () => {
    const url = newUrl();
    const readers = await Promise.all([openEvents(`${url}/events`), openEvents(`${url}/events`)]);
    await write(url, ["a", "b", "c"]);
    for (const reader of readers) {
      const entries = entriesOf(await reader.until((all) => entriesOf(all).length === 3));
      expect(entries.map(({ text }) => text)).toEqual(["a", "b", "c"]);
      reader.close();
    }
  });
});

describe("where it starts", () => {
  test("should give a reader that comes back exactly what it missed, in order (server side) [F005]", async () => {
    const url = newUrl("support");
    await send("POST", `${url}/messages`, { id: "m", text: "Agent for F005, please" });
    const [mine] = (await host.desk.waitFor((all) => all.some(({ messages }) => messages[0]?.text.includes("F005")))).filter(
      ({ messages }) => messages[0]?.text.includes("F005"),
    );
    host.desk.say(mine?.id ?? "", { text: "Hello" });
    const seen = await readUntil(url, ({ text }) => text === "Hello");
    const last = seen.at(-1)?.seq ?? 0;
    for (const text of ["one", "two", "three"]) host.desk.say(mine?.id ?? "", { text });
    const reader = await openEvents(`${url}/events`, { "last-event-id": String(last) });
    const missed = entriesOf(await reader.until((all) => entriesOf(all).some(({ text }) => text === "three")));
    reader.close();
    expect(missed.map(({ seq, text }) => ({ seq, text }))).toEqual([
      { seq: last + 1, text: "one" },
      { seq: last + 2, text: "two" },
      { seq: last + 3, text: "three" },
    ]);
  });

  test("should take the query for the first time and the header before it", async () => {
    const url = newUrl();
    await write(url, ["1", "2", "3"]);
    const first = async (query: string, headers = {}) => {
      const reader = await openEvents(`${url}/events${query}`, headers);
      const [entry] = entriesOf(await reader.until((all) => entriesOf(all).length > 0));
      reader.close();
      return entry?.seq;
    };
    expect(await first("")).toBe(1);
    expect(await first("?after=1")).toBe(2);
    expect(await first("?after=0", { "last-event-id": "2" })).toBe(3);
    expect(await first("?after=1", { "last-event-id": "" })).toBe(2);
  });

  test.each(["?after=-1", "?after=x", "?after=1.5", "?after=1&after=2", "?after=99999999999999999999"])(
    "should refuse %s",
    async (query) => {
      expect(await send("GET", `${newUrl()}/events${query}`)).toMatchObject({ status: 400, json: { code: "INVALID_AFTER" } });
    },
  );
});

describe("typing", () => {
  test("should be shown without an id, so that it is not a place to go on from", async () => {
    const url = newUrl("support");
    await send("POST", `${url}/messages`, { id: "m", text: "Agent for typing, please" });
    const conversations = await host.desk.waitFor((all) => all.some(({ messages }) => messages[0]?.text.includes("for typing")));
    const mine = conversations.find(({ messages }) => messages[0]?.text.includes("for typing"));
    host.desk.say(mine?.id ?? "", { text: "Hello" });
    const reader = await openEvents(`${url}/events`);
    await reader.until((all) => entriesOf(all).some(({ text }) => text === "Hello"));
    host.desk.type(mine?.id ?? "", { isTyping: true });
    const events = await reader.until((all) => all.some(({ event }) => event === "typing"));
    reader.close();
    const typing = events.find(({ event }) => event === "typing");
    expect(typing).toEqual({ event: "typing", data: { author: expect.objectContaining({ role: "agent" }) as unknown, isTyping: true } });
  });
});

describe("a receipt of the desk", () => {
  test("should be shown without an id, to who reads along in that conversation, until the reader goes", async () => {
    const stop = vi.fn();
    const watch = vi.spyOn(host.runtime, "watchReceipts").mockReturnValue(stop);
    const url = newUrl();
    const reader = await openEvents(`${url}/events`);
    const [address, listener] = watch.mock.calls[0] ?? [];
    watch.mockRestore();
    expect(address).toEqual({ endpoint: "silent", conversation: `events ${count}` });
    listener?.({ seq: 7, delivery: "read" });
    const events = await reader.until((all) => all.some(({ event }) => event === "receipt"));
    expect(events.find(({ event }) => event === "receipt")).toEqual({ event: "receipt", data: { seq: 7, delivery: "read" } });
    expect(stop).not.toHaveBeenCalled();
    reader.close();
    await expect.poll(() => stop.mock.calls).toHaveLength(1);
  });
});

describe("a reader that does not read", () => {
  test("should be cut, while another one gets everything", async () => {
    const url = newUrl();
    const text = "x".repeat(19_000);
    const slow = await connectRaw(`${url}/events`);
    const fast = await openEvents(`${url}/events`);
    const cut = once(slow, "close");
    // More than the buffers of both ends of the connection hold.
    for (let batch = 0; batch < 25; batch += 1) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => send("POST", `${url}/messages`, { id: `${batch}-${index}`, text })));
    }
    await fast.until((all) => entriesOf(all).length === 500);
    fast.close();
    const openStreams = async () => /handover_open_streams (\d+)/.exec(await (await fetch(`${host.url}/metrics`)).text())?.[1];
    await expect.poll(openStreams, { timeout: 5_000, interval: 20 }).toBe("0");
    slow.resume();
    await cut;
  });
});

/** A client that asks for the events and then takes nothing. */
async function connectRaw(url: string): Promise<Socket> {
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.pause();
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

describe("when the host stops", () => {
  test("should end every stream and stop at once, whether its reader reads or not", async () => {
    const other = await startTestHost({ root, endpoints: [silent] });
    const url = other.conversation("c", "silent");
    await write(url, ["One"]);
    const reader = await openEvents(`${url}/events`);
    const slow = await connectRaw(`${url}/events`);
    await reader.until((all) => entriesOf(all).length === 1);
    await other.stop();
    expect(await reader.ended).toBe("ended");
    slow.destroy();
    await expect(fetch(`${other.url}/healthz`)).rejects.toThrow();
  });
});
