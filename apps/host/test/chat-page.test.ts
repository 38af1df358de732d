import { type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Author } from "../web/chat-types.d.ts";
import { chromiumPath, launchBrowser, withoutBrowser } from "../../../test/support/browser.ts";
import { startFakeChannel, type FakeChannel } from "./support/fake-channel.ts";

const mia: Author = { role: "agent", id: "agent-1", name: "Mia Keller" };
/** Waits until the value is as expected; the machine may be busy. */
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });

if (!chromiumPath) console.warn(`Left out: the chat page in a browser (${withoutBrowser}).`);

describe.skipIf(!chromiumPath)("chat page", () => {
  let browser: Browser;
  let channel: FakeChannel;
  let context: BrowserContext;
  let violations: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => browser.close());

  beforeEach(async () => {
    channel = await startFakeChannel();
    context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
    context.setDefaultTimeout(10_000);
    violations = [];
  });
  afterEach(async () => {
    await context.close();
    await channel.close();
    expect(violations).toEqual([]);
  });

  async function newPage(): Promise<Page> {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) violations.push(message.text());
    });
    page.on("pageerror", (error) => violations.push(error.message));
    page.on("dialog", (dialog) => {
      violations.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  }

  async function openChat(conversation = "c1", page?: Page): Promise<Page> {
    const chat = page ?? (await newPage());
    await chat.goto(`${channel.url}/chat/support?conversation=${conversation}`);
    await chat.getByRole("heading", { name: "Support" }).waitFor();
    await eventually(() => isConnected(chat)).toBe(true);
    return chat;
  }

  const isConnected = async (page: Page) => page.locator("#connection").isHidden();
  const texts = async (page: Page) => page.locator(".message .text").allInnerTexts();
  const status = (page: Page) => page.locator("chat-status");
  const posts = () => channel.requests.filter(({ route, method }) => route === "messages" && method === "POST");
  const typingPosts = () => channel.requests.filter(({ route }) => route === "typing").map(({ body }) => body["isTyping"]);

  async function write(page: Page, text: string) {
    await page.getByLabel("Your message").fill(text);
    await page.keyboard.press("Enter");
  }
  const say = (text: string, author: Author = mia, conversation = "c1") => channel.append(conversation, { kind: "message", author, text });
  function startWaiting(conversation = "c1") {
    channel.append(conversation, { kind: "handover", status: "requested" });
    channel.append(conversation, { kind: "handover", status: "queued" });
  }
  function startTalking(conversation = "c1") {
    startWaiting(conversation);
    channel.append(conversation, { kind: "notice", event: "agent-joined", author: mia });
    channel.append(conversation, { kind: "handover", status: "active" });
  }

  describe("stream of entries", () => {
    it("should show exactly what was missed, once and in order, after the connection broke [F005]", async () => {
      const page = await openChat();
      say("before");
      await eventually(() => texts(page)).toEqual(["before"]);
      channel.refuseStreams(503);
      channel.dropStreams();
      await page.getByText("Reconnecting ...").waitFor();
      for (const text of ["one", "two", "three"]) say(text);
      channel.refuseStreams(0);
      await eventually(() => texts(page)).toEqual(["before", "one", "two", "three"]);
      await eventually(() => isConnected(page)).toBe(true);
      expect(channel.requests.filter(({ route }) => route === "events").at(-1)?.after).toBe(1);
    });

    it("should ask again from the last entry without a gap when a seq is missing [F005]", async () => {
      const page = await openChat();
      say("one");
      await eventually(() => texts(page)).toEqual(["one"]);
      const asked = channel.requests.filter(({ route }) => route === "events").length;
      channel.sendOnly("c1", { seq: 3, kind: "message", author: mia, text: "three" });
      const next = await channel.waitForRequest("events", asked + 1);
      expect(next.after).toBe(1);
      say("two");
      say("three");
      await eventually(() => texts(page)).toEqual(["one", "two", "three"]);
    });

    it("should open the stream anew when an accepted message does not come back by it", async () => {
      const page = await newPage();
      await page.clock.install();
      await openChat("c1", page);
      channel.silenceStreams();
      say("not heard");
      await write(page, "anybody there?");
      await page.getByText("Sent", { exact: true }).waitFor();
      expect(await texts(page)).toEqual(["anybody there?"]);
      await page.clock.fastForward(6_000);
      await eventually(() => texts(page)).toEqual(["not heard", "anybody there?"]);
    });

    it("should count hidden entries and show an entry that comes twice once", async () => {
      const page = await openChat();
      channel.append("c1", { kind: "hidden" });
      const entry = say("visible");
      channel.sendOnly("c1", entry);
      say("last");
      await eventually(() => texts(page)).toEqual(["visible", "last"]);
    });
  });

  describe("sending", () => {
    it("should keep a message pending before the server is ready, over a reload, and send it once [F006]", async () => {
      channel.failPosts({ times: 1000, status: 503 });
      const page = await openChat();
      await write(page, "too early");
      await page.getByText("Sending ...").waitFor();
      await page.reload();
      await page.getByText("Sending ...").waitFor();
      channel.failPosts({ times: 0 });
      await page.getByText("Sent", { exact: true }).waitFor();
      await eventually(() => texts(page)).toEqual(["too early"]);
      expect(channel.entries("c1").map(({ text }) => text)).toEqual(["too early"]);
      expect(new Set(posts().map(({ body }) => body["id"])).size).toBe(1);
    });

    it("should keep a message pending while offline and send what was written in order [F006]", async () => {
      const page = await openChat();
      await context.setOffline(true);
      await page.getByText("Reconnecting ...").waitFor();
      await write(page, "first");
      await write(page, "second");
      await eventually(() => page.getByText("Sending ...").count()).toBe(2);
      await context.setOffline(false);
      await eventually(() => channel.entries("c1").map(({ text }) => text)).toEqual(["first", "second"]);
      await eventually(() => page.getByText("Sending ...").count()).toBe(0);
      expect(await texts(page)).toEqual(["first", "second"]);
    });

    it("should show a message as failed after the limit and send it again with its id on request [F006]", async () => {
      const page = await newPage();
      await page.clock.install();
      await openChat("c1", page);
      channel.failPosts({ times: 1000, status: 502 });
      await write(page, "hello");
      await page.getByText("Sending ...").waitFor();
      await page.clock.fastForward(119_000);
      expect(await page.getByText("Not sent").count()).toBe(0);
      await page.clock.fastForward(2_000);
      await page.getByText("Not sent").waitFor();
      channel.failPosts({ times: 0 });
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("Sent", { exact: true }).waitFor();
      expect(await texts(page)).toEqual(["hello"]);
      expect(new Set(posts().map(({ body }) => body["id"])).size).toBe(1);
    });

    it("should fail at once with the words of the server when it refuses, and go on with the next message", async () => {
      channel.failPosts({ times: 1, status: 413, detail: "This message is too long." });
      const page = await openChat();
      await write(page, "long");
      await write(page, "short");
      await page.getByText("This message is too long.").waitFor();
      await eventually(() => channel.entries("c1").map(({ text }) => text)).toEqual(["short"]);
      await page.getByRole("button", { name: "Remove" }).click();
      await eventually(() => texts(page)).toEqual(["short"]);
    });

    it("should wait as long as Retry-After says", async () => {
      const page = await newPage();
      await page.clock.install();
      await openChat("c1", page);
      await page.clock.pauseAt(Date.now() + 60_000);
      channel.failPosts({ times: 1, status: 429, retryAfterSeconds: 40 });
      await write(page, "hello");
      await channel.waitForRequest("messages");
      await page.clock.runFor(39_000);
      expect(posts()).toHaveLength(1);
      await page.clock.runFor(2_000);
      await channel.waitForRequest("messages", 2);
      await eventually(() => channel.entries("c1").length).toBe(1);
    });

    it("should send again with the same id when the answer was lost, and show one message (client side) [F026]", async () => {
      channel.failPosts({ times: 1, isCommitted: true });
      const page = await openChat();
      await write(page, "once");
      await page.getByText("Sent", { exact: true }).waitFor();
      await write(page, "next");
      await eventually(() => texts(page)).toEqual(["once", "next"]);
      expect(channel.entries("c1")).toHaveLength(2);
    });

    it("should show all messages in two tabs and send each typed message once (two tabs) [F026]", async () => {
      const [left, right] = [await openChat(), await openChat()];
      const release = channel.holdPosts();
      await write(left, "from the left");
      await channel.waitForRequest("messages");
      await write(right, "from the right");
      const expected = ["from the left", "from the right"];
      for (const page of [left, right]) await eventually(() => texts(page)).toEqual(expected);
      release();
      await eventually(() => channel.entries("c1").map(({ text }) => text)).toEqual(expected);
      for (const page of [left, right]) {
        await eventually(() => page.getByText("Sending ...").count()).toBe(0);
        expect(await texts(page)).toEqual(expected);
      }
      // Both tabs know both messages; only one of them sends.
      expect(posts()).toHaveLength(2);
    });

    it("should leave the text in the field when the browser has no room for it", async () => {
      const page = await openChat();
      await page.evaluate("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }");
      await write(page, "precious");
      await page.getByText("This browser could not keep your message.").waitFor();
      expect(await page.getByLabel("Your message").inputValue()).toBe("precious");
    });

    it("should send the title of a choice with the answer, and then offer it no more", async () => {
      const page = await openChat();
      const choices = [
        { id: "yes", title: "Yes, please" },
        { id: "no", title: "No" },
      ];
      channel.append("c1", { kind: "message", author: { role: "bot" }, text: "Shall I?", choices });
      await page.getByRole("button", { name: "Yes, please" }).click();
      const { body } = await channel.waitForRequest("messages");
      expect(body).toMatchObject({ text: "Yes, please", answer: { seq: 1, choice: "yes" } });
      await eventually(() => page.getByRole("button", { name: "No", exact: true }).isDisabled()).toBe(true);
    });
  });

  describe("conversation", () => {
    it("should keep a random id of 128 bits over a reload and make another one on request", async () => {
      const page = await newPage();
      await page.goto(`${channel.url}/chat/support`);
      const first = (await channel.waitForRequest("events")).conversation;
      expect(first).toMatch(/^[\w-]{22}$/);
      await page.reload();
      expect((await channel.waitForRequest("events", 2)).conversation).toBe(first);
      await page.getByRole("button", { name: "New conversation" }).click();
      const second = (await channel.waitForRequest("events", 3)).conversation;
      expect(second).toMatch(/^[\w-]{22}$/);
      expect(second).not.toBe(first);
    });

    it("should go on with the same conversation when the page is reloaded while queued and while active (client side) [F072]", async () => {
      const page = await newPage();
      await page.goto(`${channel.url}/chat/support`);
      const conversation = (await channel.waitForRequest("events")).conversation!;
      await write(page, "I need help");
      await eventually(() => channel.entries(conversation).length).toBe(1);
      startWaiting(conversation);
      await page.reload();
      await status(page).getByText("Waiting for an agent ...").waitFor();
      expect(await texts(page)).toEqual(["I need help"]);
      channel.append(conversation, { kind: "handover", status: "active", author: mia });
      say("Hello", mia, conversation);
      await page.reload();
      await status(page).getByText("You are talking to Mia Keller").waitFor();
      say("Still here", mia, conversation);
      await eventually(() => texts(page)).toEqual(["I need help", "Hello", "Still here"]);
      expect(new Set(channel.requests.map((request) => request.conversation)).size).toBe(1);
    });

    it("should exchange the token of the address once and take the conversation from it", async () => {
      channel.isAccessSigned = true;
      channel.endpoint = { token: "support", title: "Support", access: "signed" };
      const claims = Buffer.from(JSON.stringify({ conversation: "order ü/7", sub: "u1" })).toString("base64url");
      say("Welcome back", mia, "order ü/7");
      const page = await newPage();
      await page.goto(`${channel.url}/chat/support#token=head.${claims}.signature`);
      await eventually(() => texts(page)).toEqual(["Welcome back"]);
      expect(page.url()).toBe(`${channel.url}/chat/support`);
      await page.reload();
      await eventually(() => texts(page)).toEqual(["Welcome back"]);
      const exchanges = channel.requests.filter(({ route }) => route === "access");
      expect(exchanges.map(({ authorization }) => authorization)).toEqual([`Bearer head.${claims}.signature`]);
      expect(await page.getByRole("button", { name: "New conversation" }).isHidden()).toBe(true);
    });

    it("should say what to do when a signed conversation is opened without access", async () => {
      channel.isAccessSigned = true;
      channel.endpoint = { token: "support", title: "Support", access: "signed" };
      const page = await newPage();
      await page.goto(`${channel.url}/chat/support`);
      await page.getByText("You are not signed in to this conversation.").waitFor();
      expect(await page.getByLabel("Your message").isDisabled()).toBe(true);
    });

    it("should say that an endpoint does not exist", async () => {
      channel.endpoint = undefined;
      const page = await newPage();
      await page.goto(`${channel.url}/chat/nowhere`);
      await page.getByText("This chat does not exist.").waitFor();
    });
  });

  describe("handover", () => {
    it("should ask for a person, leave the queue and end an active handover with its button", async () => {
      const page = await openChat();
      await page.getByRole("button", { name: "Talk to a person" }).click();
      await status(page).getByText("Waiting for an agent ...").waitFor();
      await page.getByRole("button", { name: "Leave the conversation" }).click();
      await page.getByText("You are no longer waiting for an agent.").waitFor();
      startTalking();
      await page.getByRole("button", { name: "End", exact: true }).click();
      await page.getByText("The conversation with Mia Keller has ended.").waitFor();
      await page.getByRole("button", { name: "Talk to a person" }).waitFor();
    });

    it("should show a queue position of 0 and leave out what is unknown (client side) [F142]", async () => {
      const page = await openChat();
      startWaiting();
      const queue = page.locator("#queue");
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: { position: 0 } });
      await eventually(() => queue.textContent()).toBe("Position in the queue: 0");
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: { estimatedWaitMs: 0 } });
      await eventually(() => queue.textContent()).toBe("Estimated wait: no wait");
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: { position: -1, estimatedWaitMs: 300_000 } });
      await eventually(() => queue.textContent()).toBe("Estimated wait: about 5 minutes");
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: {} });
      await eventually(() => queue.isHidden()).toBe(true);
    });

    it.each([
      { state: "active", entry: { status: "active" } },
      { state: "completed", entry: { status: "ended", reason: "completed" } },
      { state: "cancelled", entry: { status: "ended", reason: "cancelled" } },
      { state: "failed", entry: { status: "ended", reason: "failed" } },
    ])("should take the queue notice away when the handover is $state, and ignore a late one [F144]", async ({ entry }) => {
      const page = await openChat();
      startWaiting();
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: { position: 3 } });
      await page.getByText("Position in the queue: 3").waitFor();
      channel.append("c1", { kind: "handover", ...entry });
      await eventually(() => page.locator("#queue").isHidden()).toBe(true);
      channel.append("c1", { kind: "notice", event: "queue-updated", queue: { position: 2 } });
      say("after the late notice", { role: "bot" });
      await eventually(() => texts(page)).toEqual(["after the late notice"]);
      expect(await page.locator("#queue").isHidden()).toBe(true);
    });

    it("should mark the message that did not arrive and change the one that was edited or deleted", async () => {
      const page = await openChat();
      startTalking();
      const own = channel.append("c1", { kind: "message", author: { role: "user" }, text: "lost" });
      const edited = say("typpo");
      const deleted = say("secret");
      channel.append("c1", { kind: "notice", event: "message-failed", about: own.seq });
      channel.append("c1", { kind: "notice", event: "message-changed", replaces: edited.seq, text: "typo" });
      channel.append("c1", { kind: "notice", event: "message-changed", about: deleted.seq });
      await eventually(() => texts(page)).toEqual(["lost", "typo", "This message was deleted"]);
      await page.locator(`[data-seq="${own.seq}"]`).getByText("Not delivered").waitFor();
      await page.locator(`[data-seq="${edited.seq}"]`).getByText("Edited").waitFor();
    });

    it("should show receipts, late and possibly repeated messages", async () => {
      const page = await openChat();
      const { seq } = channel.append("c1", { kind: "message", author: { role: "user" }, text: "hello" });
      await page.getByText("Sent", { exact: true }).waitFor();
      channel.sendReceipt("c1", { seq, delivery: "read" });
      await page.getByText("Read", { exact: true }).waitFor();
      channel.append("c1", { kind: "message", author: mia, text: "hm", isLate: true, isPossiblyDuplicated: true });
      await page.getByText("Arrived late · May have been delivered twice").waitFor();
    });
  });

  describe("typing", () => {
    const dots = (page: Page) => page.locator("#typing").textContent();

    it("should show who types, and stop by itself, on a message, when the agent leaves and at the end (client side) [F138]", async () => {
      const page = await newPage();
      await page.clock.install();
      await openChat("c1", page);
      startTalking();
      await status(page).getByText("Mia Keller").waitFor();
      const startTyping = async () => {
        channel.sendTyping("c1", { author: mia, isTyping: true });
        await eventually(() => dots(page)).toBe("Mia Keller is typing ...");
      };
      await startTyping();
      await page.clock.fastForward(8_000);
      expect(await dots(page)).toBe("Mia Keller is typing ...");
      await page.clock.fastForward(2_000);
      await eventually(() => dots(page)).toBe("");
      await startTyping();
      // Each time: as soon as the entry is seen, long before the time limit.
      say("here you are");
      await page.getByText("here you are").waitFor();
      expect(await dots(page)).toBe("");
      await startTyping();
      channel.append("c1", { kind: "notice", event: "agent-left", author: mia });
      await page.getByText("Mia Keller left the conversation.").waitFor();
      expect(await dots(page)).toBe("");
      await startTyping();
      channel.append("c1", { kind: "handover", status: "ended", reason: "completed" });
      await status(page).getByText("Ended").waitFor();
      expect(await dots(page)).toBe("");
      channel.sendTyping("c1", { author: mia, isTyping: true });
      say("back", { role: "bot" });
      await page.getByText("back", { exact: true }).waitFor();
      expect(await dots(page)).toBe("");
    });

    it("should send at most 2 signals for 60 key strokes in 5 s, an end when sent, and none after the handover (client side) [F139]", async () => {
      const page = await newPage();
      await page.clock.install();
      await openChat("c1", page);
      startTalking();
      await status(page).getByText("Mia Keller").waitFor();
      await page.clock.pauseAt(Date.now() + 60_000);
      await page.getByLabel("Your message").focus();
      for (let stroke = 0; stroke < 60; stroke += 1) {
        await page.keyboard.press("a");
        await page.clock.runFor(80);
      }
      await channel.waitForRequest("typing", 2);
      expect(typingPosts()).toEqual([true, true]);
      await page.keyboard.press("Enter");
      await channel.waitForRequest("typing", 3);
      expect(typingPosts()).toEqual([true, true, false]);
      channel.append("c1", { kind: "handover", status: "ended", reason: "completed" });
      await page.clock.resume();
      await status(page).getByText("Ended").waitFor();
      await write(page, "bye");
      await channel.waitForRequest("messages", 2);
      expect(typingPosts()).toHaveLength(3);
    });
  });

  describe("what others wrote", () => {
    it("should keep markup in names, texts, files and choices inert (web client) [F114]", async () => {
      const page = await openChat();
      const markup = `<img src=x onerror="alert(1)">`;
      const author: Author = { role: "agent", name: markup };
      const attachments = [
        { id: "f1", name: "=cmd()", url: "javascript:alert(2)" },
        { id: "f2", name: markup, url: "/files/f2" },
      ];
      channel.append("c1", { kind: "handover", status: "active", author, text: markup });
      channel.append("c1", { kind: "message", author, text: `${markup} =cmd() [x](javascript:alert(3))`, attachments });
      channel.append("c1", {
        kind: "message",
        author,
        format: "markdown",
        text: `${markup} [bad](javascript:alert(4)) [odd](data:text/html,x) [good](https://example.com/a)`,
      });
      channel.append("c1", {
        kind: "message",
        author,
        text: markup,
        choices: [{ id: "1", title: markup }],
        cards: [{ title: markup, url: "javascript:alert(5)" }],
      });
      channel.sendTyping("c1", { author, isTyping: true });
      await eventually(() => page.locator("#typing").textContent()).toBe(`${markup} is typing ...`);
      await eventually(() => page.locator(".message").count()).toBe(3);
      const log = page.locator("chat-log");
      expect(await log.locator("img, script, iframe, [onerror], [style]").count()).toBe(0);
      const links = await page.evaluate("[...document.querySelectorAll('chat-log a')].map((a) => [a.getAttribute('href'), a.rel])");
      const rel = "noopener noreferrer nofollow";
      expect(links).toEqual([
        [`${channel.url}/files/f2`, rel],
        ["https://example.com/a", rel],
      ]);
      expect((await log.locator(".name").first().textContent()) ?? "").toBe(markup);
      await page.getByText("=cmd()", { exact: true }).waitFor();
    });

    it("should show the safe part of Markdown", async () => {
      const page = await openChat();
      channel.append("c1", {
        kind: "message",
        author: mia,
        format: "markdown",
        text: "**bold** *soft* `code`\n[mail](mailto:a@example.com)",
      });
      const text = page.locator(".message .text");
      await eventually(() => text.innerText()).toBe("bold soft code\nmail");
      expect(await text.locator("strong, em, code, a, br").count()).toBe(5);
    });

    it("should say who speaks and take title and greeting from the endpoint", async () => {
      channel.endpoint = { token: "support", title: "Support", greeting: "Good day!", handover: false };
      const page = await openChat();
      say("Hi", { role: "bot", name: "Otto" });
      say("Hello", { role: "user" });
      say("Hey");
      await eventually(() => page.locator(".author .name").allInnerTexts()).toEqual(["Otto", "You", "Mia Keller"]);
      await page.getByText("Good day!").waitFor();
      expect(await page.title()).toBe("Support");
      expect(await page.getByRole("button", { name: "Talk to a person" }).isHidden()).toBe(true);
    });

    it("should fit into 400 pixels", async () => {
      const page = await openChat();
      await page.setViewportSize({ width: 400, height: 700 });
      say("w".repeat(500));
      startWaiting();
      await status(page).getByText("Waiting").waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
      const overflow = await page.evaluate(
        "(() => { const list = document.querySelector('.list'); return list.scrollWidth - list.clientWidth; })()",
      );
      expect(overflow).toBe(0);
    });
  });
});
