import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type {
  ChatModelModule,
  ChatViewModule,
  Clock,
  Entry,
  KeyValueStorage,
  MarkdownModule,
  MarkdownNode,
  OutboxModule,
  OutboxRecord,
  SendResult,
  TypingModule,
} from "../web/chat-types.d.ts";

// The modules are plain JavaScript that is served as it is; their types are in one declaration file.
const load = async (file: string): Promise<unknown> => import(new URL(`../web/${file}`, import.meta.url).href);
const { createChat, addEntry, addReceipt } = (await load("chat-model.js")) as ChatModelModule;
const { toViewItems, toStatusView } = (await load("chat-view.js")) as ChatViewModule;
const { parseMarkdown, safeHref } = (await load("markdown.js")) as MarkdownModule;
const { createOutbox } = (await load("outbox.js")) as OutboxModule;
const { createTypingDisplay, createTypingSignal } = (await load("typing.js")) as TypingModule;
const { createMemoryStorage } = (await load("page-storage.js")) as { createMemoryStorage(): KeyValueStorage };
const { readAccessToken } = (await load("conversation-id.js")) as {
  readAccessToken(hash: string): { token: string; conversation: string | undefined } | undefined;
};

const mia = { role: "agent", id: "a1", name: "Mia" } as const;

function chatOf(...contents: Omit<Entry, "seq">[]) {
  const chat = createChat();
  contents.forEach((content, index) => addEntry(chat, { at: "2026-11-20T10:00:00Z", ...content, seq: index + 1 }));
  return chat;
}
const view = (chat: ReturnType<typeof createChat>, outbox: OutboxRecord[] = []) =>
  toViewItems(chat, outbox, { botName: "Bot", language: "en-GB" }).filter((item) => item.kind !== "day");
const lines = (chat: ReturnType<typeof createChat>) =>
  view(chat)
    .filter((item) => item.kind === "line")
    .map(({ text }) => text);
const statusOf = (chat: ReturnType<typeof createChat>) => toStatusView(chat, { canHandOver: true });

describe("chat model", () => {
  it("should take each seq once and only the next one", () => {
    const chat = createChat();
    expect(addEntry(chat, { seq: 2, kind: "message" })).toBe(false);
    expect(addEntry(chat, { seq: 1, kind: "hidden" })).toBe(true);
    expect(addEntry(chat, { seq: 1, kind: "message" })).toBe(false);
    expect(addEntry(chat, { seq: 2, kind: "something-new" })).toBe(true);
    expect(chat).toMatchObject({ lastSeq: 2, rows: [] });
  });

  it.each([
    ["completed", "The conversation with the agent has ended."],
    ["cancelled", "You are no longer waiting for an agent."],
    ["abandoned", "The conversation was closed because nobody had written for a while."],
    ["unavailable", "Nobody is available right now."],
    ["timed-out", "No agent was free in time. Please try again later."],
    ["failed", "We could not connect you to an agent. Please try again."],
    ["a-new-reason", "The conversation with the agent has ended."],
  ])("should have words for an end as %s", (reason, words) => {
    expect(lines(chatOf({ kind: "handover", status: "ended", reason }))).toEqual([words]);
  });

  it("should prefer the words of the server", () => {
    expect(lines(chatOf({ kind: "handover", status: "ended", reason: "failed", text: "Call us." }))).toEqual(["Call us."]);
  });

  it("should name the agent who acted last, and nobody after they left", () => {
    const joined: Omit<Entry, "seq">[] = [
      { kind: "handover", status: "queued" },
      { kind: "notice", event: "agent-joined", author: mia },
      { kind: "handover", status: "active" },
    ];
    expect(statusOf(chatOf(...joined)).text).toBe("You are talking to Mia");
    const noah = { role: "agent", id: "a2", name: "Noah" } as const;
    const both = [...joined, { kind: "message", author: noah, text: "hi" }];
    expect(statusOf(chatOf(...both)).text).toBe("You are talking to Noah");
    expect(statusOf(chatOf(...both, { kind: "notice", event: "agent-left", author: noah })).text).toBe("You are talking to Mia");
    expect(statusOf(chatOf(...joined, { kind: "notice", event: "agent-left" })).text).toBe("You are connected to an agent");
  });

  it("should show queue numbers of 0 and leave out sentinels and a late notice (view model) [F142] [F144]", () => {
    const queued = (queue: Entry["queue"]): Omit<Entry, "seq">[] => [
      { kind: "handover", status: "queued" },
      { kind: "notice", event: "queue-updated", ...(queue ? { queue } : {}) },
    ];
    expect(statusOf(chatOf(...queued({ position: 0, estimatedWaitMs: 0 }))).detail).toBe(
      "Position in the queue: 0, estimated wait: no wait",
    );
    expect(statusOf(chatOf(...queued({ position: -1, estimatedWaitMs: Number.NaN }))).detail).toBe("");
    expect(statusOf(chatOf(...queued({ estimatedWaitMs: 7_200_000 }))).detail).toBe("Estimated wait: about 2 hours");
    const late = chatOf({ kind: "handover", status: "active" }, { kind: "notice", event: "queue-updated", queue: { position: 1 } });
    expect(late.queue).toBeUndefined();
  });

  it("should put the name of an agent where it was missing, once it is known [F151 part: the page]", () => {
    const unnamed = { role: "agent", id: "a1" } as const;
    const chat = chatOf(
      { kind: "handover", status: "queued" },
      { kind: "notice", event: "agent-joined", author: unnamed },
      { kind: "handover", status: "active", author: unnamed },
    );
    expect(statusOf(chat).text).toBe("You are connected to an agent");
    addEntry(chat, { seq: 4, kind: "notice", event: "agent-joined", author: { ...unnamed, name: "Mia" }, replaces: 2 });
    expect(statusOf(chat).text).toBe("You are talking to Mia");
    expect(view(chat).map((item) => ("text" in item ? item.text : ""))).toEqual([
      "You are in the queue. An agent will be with you as soon as one is free.",
      "Mia joined the conversation.",
      "You are now talking to an agent.",
    ]);
  });

  it("should edit with new text, delete without, and mark what failed", () => {
    const chat = chatOf(
      { kind: "message", author: mia, text: "one" },
      { kind: "message", author: { role: "user" }, id: "m1", text: "two" },
      { kind: "notice", event: "message-changed", replaces: 1, text: "uno" },
      { kind: "notice", event: "message-failed", about: 2, text: "The desk refused it." },
    );
    expect(view(chat)).toMatchObject([
      { text: "uno", isEdited: true },
      { text: "two", state: "failed", failure: "The desk refused it." },
    ]);
    addEntry(chat, { seq: 5, kind: "notice", event: "message-changed", about: 1 });
    expect(view(chat)[0]).toMatchObject({ text: "This message was deleted", isDeleted: true });
  });

  it("should keep a message read when the receipt of its delivery comes later", () => {
    const chat = chatOf({ kind: "message", author: { role: "user" }, id: "m1", text: "hi" });
    addReceipt(chat, { seq: 1, delivery: "read" });
    addReceipt(chat, { seq: 1, delivery: "delivered" });
    expect(view(chat)).toMatchObject([{ state: "read" }]);
  });

  it("should show an unsent message at the end until its entry is there, under the same key", () => {
    const record: OutboxRecord = { id: "m1", text: "hi", order: 1, writtenAtMs: 1, sinceMs: 1, state: "pending" };
    const before = view(chatOf({ kind: "message", author: mia, text: "hello" }), [record]);
    expect(before).toMatchObject([{ key: "seq:1" }, { key: "own:m1", state: "pending" }]);
    const after = view(chatOf({ kind: "message", author: { role: "user" }, id: "m1", text: "hi" }), [record]);
    expect(after).toMatchObject([{ key: "own:m1", state: "sent" }]);
  });
});

describe("markdown", () => {
  const flat = (nodes: MarkdownNode[]): string =>
    nodes
      .map((node) => {
        if (node.type === "text") return node.text;
        if (node.type === "break") return "|";
        if (node.type === "code") return `{code ${node.text}}`;
        return `{${node.type}${node.type === "link" ? ` ${node.href}` : ""} ${flat(node.children)}}`;
      })
      .join("");

  it.each([
    ["**a _b_** c", "{bold a {italic b}} c"],
    ["2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"],
    ["`**x**` and\nmore", "{code **x**} and|more"],
    ["[a](https://example.com/x) [b](mailto:c@example.com)", "{link https://example.com/x a} {link mailto:c@example.com b}"],
    ["see https://example.com/a?b=1.", "see {link https://example.com/a?b=1 https://example.com/a?b=1}."],
    ["[a](javascript:alert(1))", "[a](javascript:alert(1))"],
    ["[a](JaVaScRiPt:x) [b](//example.com) [c](data:text/html,x)", "[a](JaVaScRiPt:x) [b](//example.com) [c](data:text/html,x)"],
    ["<b>no</b> \\*not\\*", "<b>no</b> *not*"],
  ])("should read %j", (source, expected) => {
    expect(flat(parseMarkdown(source))).toBe(expected);
  });

  it("should take long hostile texts quickly", () => {
    for (const unit of ["*", "[", "`", "**a", "_a ", "[a](", "https://"]) {
      const startedMs = performance.now();
      parseMarkdown(unit.repeat(Math.floor(20_000 / unit.length)));
      expect(performance.now() - startedMs).toBeLessThan(1_000);
    }
  });

  it("should let only web and mail addresses through", () => {
    expect(["https://a.example/", "javascript:1", "vbscript:1", "file:///etc", " java\nscript:1"].map(safeHref)).toEqual([
      "https://a.example/",
      ...Array.from({ length: 4 }),
    ]);
  });
});

describe("outbox", () => {
  let storage: KeyValueStorage;
  let calls: { record: OutboxRecord; answer: (result: SendResult) => void }[];
  let nowMs: number;
  let waits: { dueMs: number; resolve: () => void }[];
  const opened: { stop(): void }[] = [];

  beforeEach(() => {
    storage = createMemoryStorage();
    calls = [];
    waits = [];
    nowMs = 1_000;
  });
  afterEach(() => opened.splice(0).forEach((outbox) => outbox.stop()));

  const clock: Clock = {
    nowMs: () => nowMs,
    wait: (delayMs, signal) =>
      new Promise((resolve) => {
        waits.push({ dueMs: nowMs + delayMs, resolve });
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
  async function settle() {
    await new Promise((resolve) => setImmediate(resolve));
  }
  async function advance(ms: number) {
    nowMs += ms;
    for (const wait of waits.filter(({ dueMs }) => dueMs <= nowMs)) wait.resolve();
    await settle();
  }
  function open() {
    const send = async (record: OutboxRecord) => new Promise<SendResult>((answer) => calls.push({ record, answer }));
    const outbox = createOutbox({ storage, scope: "support:c1", clock, onChange: () => undefined, random: () => 1, send });
    opened.push(outbox);
    return outbox;
  }
  async function answerLast(result: SendResult) {
    calls.at(-1)!.answer(result);
    await settle();
  }
  const states = (outbox: { list(): OutboxRecord[] }) => outbox.list().map(({ text, state }) => `${text} ${state}`);

  it("should send one at a time, in order", async () => {
    const outbox = open();
    for (const text of ["a", "b"]) outbox.add(text);
    await settle();
    expect(calls.map(({ record }) => record.text)).toEqual(["a"]);
    await answerLast({ kind: "accepted", seq: 1 });
    expect(calls.map(({ record }) => record.text)).toEqual(["a", "b"]);
    expect(states(outbox)).toEqual(["a accepted", "b pending"]);
  });

  it("should double its waits, and keep the wait the server asked for even when woken (outbox) [F006]", async () => {
    const outbox = open();
    outbox.add("a");
    await settle();
    await answerLast({ kind: "retry" });
    await advance(499);
    expect(calls).toHaveLength(1);
    await advance(1);
    expect(calls).toHaveLength(2);
    await answerLast({ kind: "retry" });
    await advance(999);
    expect(calls).toHaveLength(2);
    outbox.wake();
    await settle();
    expect(calls).toHaveLength(3);
    await answerLast({ kind: "retry", afterMs: 30_000 });
    outbox.wake();
    await advance(29_000);
    expect(calls).toHaveLength(3);
    await advance(1_000);
    expect(calls).toHaveLength(4);
    expect(new Set(calls.map(({ record }) => record.id)).size).toBe(1);
  });

  it("should send what a reload interrupted with the same id, and fail what is older than the limit (outbox) [F006]", async () => {
    const before = open();
    const { id } = before.add("a");
    before.stop();
    const after = open();
    after.wake();
    await settle();
    expect(calls.map(({ record }) => record.id)).toEqual([id, id]);
    nowMs += 120_000;
    const muchLater = open();
    muchLater.wake();
    await settle();
    expect(calls).toHaveLength(2);
    expect(states(muchLater)).toEqual(["a failed"]);
  });

  it("should leave a message alone that the stream confirmed while its answer was on the way (outbox) [F026]", async () => {
    const outbox = open();
    const { id } = outbox.add("a");
    await settle();
    outbox.confirm({ seq: 1, kind: "message", id, author: { role: "user" } });
    await answerLast({ kind: "accepted", seq: 1 });
    expect(outbox.list()).toEqual([]);
  });

  it("should let go of an accepted message whose entry is hidden", async () => {
    const outbox = open();
    outbox.add("a");
    await settle();
    await answerLast({ kind: "accepted", seq: 4 });
    outbox.confirm({ seq: 3, kind: "hidden" });
    expect(outbox.list()).toHaveLength(1);
    outbox.confirm({ seq: 4, kind: "hidden" });
    expect(outbox.list()).toEqual([]);
  });

  it("should go on after a refusal and send again on request", async () => {
    const outbox = open();
    const { id } = outbox.add("a");
    outbox.add("b");
    await settle();
    await answerLast({ kind: "refused", detail: "Too long." });
    expect(outbox.list()[0]).toMatchObject({ state: "failed", failure: "Too long." });
    await answerLast({ kind: "accepted", seq: 1 });
    outbox.retry(id);
    await settle();
    expect(calls.at(-1)?.record.id).toBe(id);
  });
});

describe("typing", () => {
  it("should say typing at most every 3 s and stop once (signal) [F139]", () => {
    const posts: boolean[] = [];
    let nowMs = 0;
    let isWanted = true;
    const signal = createTypingSignal({ post: (isTyping) => posts.push(isTyping), isWanted: () => isWanted, nowMs: () => nowMs });
    for (; nowMs < 5_000; nowMs += 80) signal.fieldChanged(false);
    expect(posts).toEqual([true, true]);
    signal.fieldChanged(true);
    signal.fieldChanged(true);
    expect(posts).toEqual([true, true, false]);
    isWanted = false;
    nowMs += 10_000;
    signal.fieldChanged(false);
    expect(posts).toHaveLength(3);
  });

  it("should forget who types after 10 s (display) [F138]", () => {
    vi.useFakeTimers();
    try {
      const display = createTypingDisplay({ onChange: () => undefined });
      display.take({ author: mia, isTyping: true });
      display.take({ author: { role: "user", name: "me" }, isTyping: true });
      vi.advanceTimersByTime(9_999);
      expect(display.names()).toEqual(["Mia"]);
      vi.advanceTimersByTime(1);
      expect(display.names()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("access token", () => {
  it("should read the conversation from the token, in any alphabet, and tolerate a broken one", () => {
    const token = `a.${Buffer.from('{"conversation":"größe/1"}').toString("base64url")}.b`;
    expect(readAccessToken(`#token=${token}`)).toEqual({ token, conversation: "größe/1" });
    expect(readAccessToken("#token=broken")).toEqual({ token: "broken", conversation: undefined });
    expect(readAccessToken("")).toBeUndefined();
  });
});
