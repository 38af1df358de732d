import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumPath, launchBrowser, withoutBrowser } from "../../../test/support/browser.ts";
import type { ChatModelModule, ChatViewModule, Clock, Entry, ReadSignalModule, Survey } from "../web/chat-types.d.ts";
import { startFakeChannel, type FakeChannel } from "./support/fake-channel.ts";

const load = async (file: string): Promise<unknown> => import(new URL(`../web/${file}`, import.meta.url).href);
const { createChat, addEntry } = (await load("chat-model.js")) as ChatModelModule;
const { toViewItems } = (await load("chat-view.js")) as ChatViewModule;
const { createReadSignal } = (await load("read-signal.js")) as ReadSignalModule;

const mia = { role: "agent", id: "a1", name: "Mia" } as const;
const survey: Survey = {
  id: "s1",
  questions: [
    { id: "score", text: "How did we do?", type: "rating", minimum: 1, maximum: 5, isRequired: true },
    {
      id: "why",
      text: "Why?",
      type: "choice",
      choices: [
        { id: "fast", title: "It was fast" },
        { id: "kind", title: "They were kind" },
      ],
    },
    { id: "more", text: "Anything else?", type: "text" },
  ],
};
const offer = { kind: "notice", event: "survey-offered", survey } as const;

function chatOf(...contents: Omit<Entry, "seq">[]) {
  const chat = createChat();
  contents.forEach((content, index) => addEntry(chat, { at: "2026-11-20T10:00:00Z", ...content, seq: index + 1 }));
  return chat;
}
const view = (chat: ReturnType<typeof createChat>, options: { nowMs?: number; answeredSurveys?: ReadonlySet<string> } = {}) =>
  toViewItems(chat, [], { botName: "Bot", language: "en-GB", ...options }).filter(({ kind }) => kind !== "day");

describe("what the entries say", () => {
  it("should make a survey open until it is answered, here or as the log says, or its time is over", () => {
    const states = (content: Partial<Entry>, options = {}) =>
      view(chatOf({ ...offer, ...content }), options).map((item) => "state" in item && item.state);
    expect(states({})).toEqual(["open"]);
    expect(states({ delivery: "delivered" })).toEqual(["answered"]);
    expect(states({}, { answeredSurveys: new Set(["s1"]) })).toEqual(["answered"]);
    expect(states({ survey: { ...survey, openUntilMs: 10 } }, { nowMs: 11 })).toEqual(["closed"]);
    expect(states({ survey: { ...survey, openUntilMs: 10 } }, { nowMs: 9 })).toEqual(["open"]);
    // Without a question it is an invitation in words.
    expect(view(chatOf({ ...offer, survey: { id: "s", questions: [] } }))).toMatchObject([
      { kind: "line", text: "You are invited to rate this conversation." },
    ]);
  });

  it("should show the button that cancels as long as it does", () => {
    const queued = { kind: "handover", status: "queued", text: "One moment.", choices: [{ id: "cancel", title: "Never mind" }] };
    const choices = (...more: Omit<Entry, "seq">[]) =>
      view(chatOf({ kind: "handover", status: "requested" }, queued, ...more)).flatMap((item) =>
        item.kind === "line" ? (item.choices ?? []) : [],
      );
    expect(choices()).toEqual(queued.choices);
    expect(choices({ kind: "notice", event: "queue-updated", queue: { position: 1 } })).toEqual(queued.choices);
    for (const status of ["active", "ended"]) expect(choices({ kind: "handover", status })).toEqual([]);
    // Back in the queue after somebody was there it would be a word for people.
    expect(choices({ kind: "handover", status: "active" }, { kind: "handover", status: "queued" })).toEqual([]);
  });
});

describe("how far the user has read", () => {
  it("should be told rarely, never backwards, and not while nobody can see the page", async () => {
    const told: number[] = [];
    const waits: (() => void)[] = [];
    let isVisible = true;
    const clock: Clock = { nowMs: () => 0, wait: () => new Promise((resolve) => waits.push(resolve)) };
    const signal = createReadSignal({ post: (seq) => told.push(seq), isVisible: () => isVisible, clock });
    const windowOver = async () => {
      waits.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    signal.seen(3);
    for (const seq of [5, 4, 6, 2]) signal.seen(seq);
    expect(told).toEqual([3]);
    await windowOver();
    expect(told).toEqual([3, 6]);
    await windowOver();
    isVisible = false;
    signal.seen(9);
    expect(told).toEqual([3, 6]);
    isVisible = true;
    signal.visibilityChanged();
    signal.visibilityChanged();
    expect(told).toEqual([3, 6, 9]);
    signal.stop();
    await windowOver();
    signal.seen(10);
    expect(told).toEqual([3, 6, 9]);
  });
});

const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });
if (!chromiumPath) console.warn(`Left out: surveys in a browser (${withoutBrowser}).`);

describe.skipIf(!chromiumPath)("the chat page", () => {
  let browser: Browser;
  let channel: FakeChannel;
  let context: BrowserContext;
  let problems: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => browser.close());
  beforeEach(async () => {
    channel = await startFakeChannel();
    context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
    context.setDefaultTimeout(10_000);
    problems = [];
  });
  afterEach(async () => {
    await context.close();
    await channel.close();
    expect(problems).toEqual([]);
  });

  async function openChat(): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) problems.push(message.text());
    });
    await page.goto(`${channel.url}/chat/support?conversation=c1`);
    await page.getByRole("heading", { name: "Support" }).waitFor();
    return page;
  }

  const posted = (route: string) => channel.requests.filter((request) => request.route === route).map(({ body }) => body);

  it("should ask a survey's questions with keyboard and labels, say what is wrong, and thank for the answers, also after a reload", async () => {
    const page = await openChat();
    channel.append("c1", { ...offer });
    const form = page.getByRole("form", { name: "You are invited to rate this conversation." });
    await form.waitFor();
    const rating = form.getByRole("group", { name: "How did we do?" });
    expect(await rating.getByRole("radio").count()).toBe(5);
    expect(await form.getByRole("group", { name: "Why? (optional)" }).getByRole("radio", { name: "They were kind" }).count()).toBe(1);
    // The browser itself asks for what is required.
    await form.getByRole("button", { name: "Send answers" }).click();
    expect(posted("survey")).toEqual([]);
    await rating.getByRole("radio", { name: "3" }).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowRight");
    await form.getByRole("textbox", { name: "Anything else? (optional)" }).fill("  <b>thanks</b> ");
    // What happens elsewhere in the conversation does not take what was filled in.
    channel.append("c1", { kind: "message", author: mia, text: "Bye" });
    await page.getByText("Bye").waitFor();
    channel.surveyProblem = "The survey takes no answers any more.";
    await form.getByRole("button", { name: "Send answers" }).click();
    await form.getByRole("alert").filter({ hasText: "takes no answers" }).waitFor();
    channel.surveyProblem = undefined;
    await form.getByRole("button", { name: "Send answers" }).click();
    await page.getByText("Thank you for your answers.").waitFor();
    expect(posted("survey").at(-1)).toEqual({ survey: "s1", answers: { score: 4, more: "<b>thanks</b>" } });
    await page.reload();
    await page.getByText("Thank you for your answers.").waitFor();
    expect(await page.getByRole("form", { name: "You are invited" }).count()).toBe(0);
  });

  it("should tell how far it was read when it was on the screen", async () => {
    const page = await openChat();
    for (let line = 1; line <= 40; line += 1) channel.append("c1", { kind: "message", author: mia, text: `line ${line}\n\nand more` });
    await page.getByText("line 40").waitFor();
    await eventually(() => posted("read").at(-1)).toEqual({ seq: 40 });
    const seqs = posted("read").map(({ seq }) => Number(seq));
    expect(seqs).toEqual(seqs.toSorted((left, right) => left - right));
    await page.evaluate("document.querySelector('[role=log]').scrollTop = 0");
    await page.getByText("line 1", { exact: false }).first().waitFor();
    channel.append("c1", { kind: "message", author: mia, text: "below the screen" });
    await page.getByText("below the screen").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "New messages" }).click();
    await eventually(() => posted("read").at(-1)).toEqual({ seq: 41 });
    // Nobody reads what they wrote themselves.
    await page.getByRole("textbox", { name: "Your message" }).fill("mine");
    await page.keyboard.press("Enter");
    await eventually(() => posted("messages").at(-1)).toMatchObject({ text: "mine" });
    channel.append("c1", { kind: "message", author: mia, text: "the last one" });
    await eventually(() => posted("read").at(-1)).toEqual({ seq: 43 });
    expect(posted("read").map(({ seq }) => seq)).not.toContain(42);
  });

  it("should show the button that cancels, send it as an answer, and show cards with links instead of foreign pictures", async () => {
    const page = await openChat();
    channel.append("c1", { kind: "handover", status: "queued", text: "One moment.", choices: [{ id: "cancel", title: "Never mind" }] });
    channel.append("c1", {
      kind: "message",
      author: mia,
      cards: [
        { title: "Plan", text: "Ten a month", imageUrl: "https://pictures.example/plan.png", choices: [{ id: "buy", title: "Buy" }] },
      ],
    });
    await page.getByRole("link", { name: "Picture" }).waitFor();
    expect(await page.locator("img").count()).toBe(0);
    await page.getByRole("button", { name: "Buy" }).click();
    await eventually(() => posted("messages").at(-1)).toMatchObject({ text: "Buy", answer: { seq: 2, choice: "buy" } });
    await page.getByRole("button", { name: "Never mind" }).click();
    await eventually(() => posted("messages").at(-1)).toMatchObject({ text: "Never mind", answer: { seq: 1, choice: "cancel" } });
    channel.append("c1", { kind: "handover", status: "ended", reason: "cancelled" });
    await eventually(() => page.getByRole("button", { name: "Never mind" }).count()).toBe(0);
  });
});
