import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { chromiumPath, launchBrowser } from "../../../test/support/browser.ts";
import { eventsOf, startBench } from "./harness.ts";

describe("the agent desk page", () => {
  test("should be served with a strict policy and nothing from elsewhere", async () => {
    const { http } = await startBench();
    const page = await http("GET", "/");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      expect(link).not.toContain("//");
      expect((await http("GET", `/${link}`)).status).toBe(200);
    }
    for (const script of ["desk.js", "desk-api.js", "desk-files.js", "desk-list.js", "desk-transcript.js"]) {
      const { text } = await http("GET", `/${script}`);
      expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
    }
  });

  test("should get a snapshot and then each change by server-sent events", async () => {
    const { url, liveAgent, converse } = await startBench();
    const id = String(await converse());
    await liveAgent.webhooksIdle();
    const read = await followEvents(`${url}/control/live-agent/events`);
    expect(await read()).toMatchObject({
      event: "snapshot",
      data: {
        overview: { vendor: "live-agent", agents: [{ name: "Ann Agent", isOnline: true }, {}] },
        conversations: [{ id, status: "queued" }],
      },
    });
    liveAgent.accept(id);
    expect(await read()).toMatchObject({ event: "conversation", data: { id, status: "active", agent: "Ann Agent" } });
    await liveAgent.webhooksIdle();
    expect(await read()).toMatchObject({ event: "overview", data: { lastWebhook: { outcome: "delivered", status: 200 } } });
    liveAgent.reset();
    expect(await read()).toMatchObject({ event: "snapshot", data: { conversations: [] } });
  });

  test("should not show the webhook's path, which may hold a secret", async () => {
    const { liveAgent, receiver } = await startBench();
    liveAgent.setWebhookUrl(`${receiver.url}/handover/live-agent/support/very-secret`);
    expect(liveAgent.overview().webhookTarget).toBe(receiver.url);
  });
});

describe.skipIf(!chromiumPath)("the agent desk in a browser", () => {
  test("should let a person accept, answer, note, leave and close", async () => {
    const bench = await startBench();
    const page = await openPage(bench.url);
    await page.getByText("Nobody is waiting", { exact: true }).waitFor();

    const id = await bench.converse();
    const customerSays = (content: string): unknown =>
      bench.api("POST", `/conversations/${id}/messages`, { content, message_type: "incoming" });
    await customerSays("<img src=x onerror=alert(1)> help");
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.getByText("<img src=x onerror=alert(1)> help").last().waitFor();
    await page.getByRole("button", { name: "Accept" }).click();
    await bench.liveAgent.waitFor(([conversation]) => conversation?.status === "active" && conversation.agent === "Ann Agent");

    await page.getByLabel("Your reply").pressSequentially("Hello Uma");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("I am Ann");
    await page.keyboard.press("Enter");
    await page.locator(".entry.agent", { hasText: "I am Ann" }).waitFor();
    await page.getByText("Private note").click();
    await page.getByLabel("Your private note").fill("be kind");
    await page.getByRole("button", { name: "Add note" }).click();
    await page.locator(".entry.note", { hasText: "be kind" }).waitFor();
    await customerSays("thanks");
    await page.locator(".entry.user", { hasText: "thanks" }).waitFor();
    expect(bench.liveAgent.conversation(String(id)).messages.find((message) => message.author === "agent")?.text).toBe(
      "Hello Uma\nI am Ann",
    );
    expect(bench.liveAgent.conversation(String(id)).notes).toEqual([expect.objectContaining({ text: "be kind" })]);

    await page.getByRole("button", { name: "Leave" }).click();
    await bench.liveAgent.waitFor(([conversation]) => conversation?.status === "queued");
    await page.getByRole("button", { name: "Close" }).click();
    await bench.liveAgent.waitFor(([conversation]) => conversation?.status === "closed");
    await page.getByText("This conversation is closed.").waitFor();

    await bench.liveAgent.webhooksIdle();
    const events = eventsOf(bench.receiver.received);
    expect(events.filter((event) => event.includes("typing"))).toEqual(["conversation_typing_on", "conversation_typing_off"]);
    expect(events.at(-2)).toBe("conversation_status_changed");
  });

  test("should send a file, show the customer's, their typing and reading, and offer a survey", async () => {
    const bench = await startBench({ profile: "4.15" });
    const id = await bench.converse();
    const page = await openPage(bench.url);
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByLabel("Attach a file").setInputFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("the plan") });
    await page.getByText("plan.txt", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    const link = page.locator(".entry.agent").getByRole("link", { name: "plan.txt" });
    await link.waitFor();
    expect(await (await fetch((await link.getAttribute("href")) ?? "")).text()).toBe("the plan");
    await page.getByText("Attach a file").waitFor();

    const client = `/live-agent/public/api/v1/inboxes/simulator-inbox-1/contacts/session-abc/conversations/${id}`;
    await bench.http("POST", `${client}/toggle_typing`, { typing_status: "on" });
    await page.getByText("The customer is typing …").waitFor();
    await bench.http("POST", `${client}/update_last_seen`, {});
    await page.locator(".entry.agent").getByText("Seen").waitFor();
    await page.getByRole("button", { name: "Send survey" }).click();
    await page.locator(".entry.system", { hasText: "Please rate this conversation" }).waitFor();
    expect(await page.getByRole("button", { name: "Send survey" }).isVisible()).toBe(false);
    bench.liveAgent.answerSurvey(String(id), { rating: 5, feedback: "Great" });
    await bench.http("POST", `${client}/toggle_typing`, { typing_status: "off" });
    await page.getByText("Rated 5 of 5: Great").waitFor();
  });

  test("should fit a narrow window: the list or the conversation, and a way back", async () => {
    const bench = await startBench();
    const page = await openPage(bench.url, { width: 380, height: 640 });
    await bench.converse();
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.getByRole("button", { name: "Accept" }).waitFor();
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.getByRole("navigation").waitFor();
  });

  test("should say what went wrong", async () => {
    const bench = await startBench();
    const page = await openPage(bench.url);
    const id = String(await bench.converse());
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.route("**/close", (route) =>
      route.fulfill({ status: 409, json: { code: "NOT_POSSIBLE", message: "The conversation is closed." } }),
    );
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("alert").getByText("The conversation is closed.").waitFor();
    expect(bench.liveAgent.conversation(id).status).toBe("queued");
  });
});

async function openPage(url: string, viewport = { width: 1280, height: 800 }): Promise<Page> {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) problems.push(message.text());
  });
  onTestFinished(() => expect(problems).toEqual([]));
  await page.goto(url);
  return page;
}

/** Reads one event after the other. */
async function followEvents(url: string): Promise<() => Promise<{ event: string; data: unknown }>> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(url, { signal: stop.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  return async () => {
    for (;;) {
      const end = buffer.indexOf("\n\n");
      if (end >= 0) {
        const block = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        return { event, data: JSON.parse(data) as unknown };
      }
      const { value, done } = await reader.read();
      if (done) throw new Error("The stream of events ended.");
      buffer += value;
    }
  };
}
