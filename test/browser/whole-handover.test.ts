import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchBrowser, withoutBrowser } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";

const startFile = fileURLToPath(new URL("../../apps/host/src/start.ts", import.meta.url));

if (!chromiumPath) console.warn(`Left out: the whole handover in a browser (${withoutBrowser}).`);

describe.skipIf(!chromiumPath)("a whole handover in the browser", () => {
  let demo: ChildProcess;
  let links: Record<"chat" | "desk", string>;
  let folder: string;
  let browser: Browser;
  let user: Page;
  let agent: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "handover-demo-"));
    ({ demo, links } = await startDemo(folder));
    browser = await launchBrowser();
    user = await openPage();
    agent = await openPage();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    demo.kill("SIGTERM");
    await once(demo, "exit");
    await rm(folder, { recursive: true, force: true });
  });

  async function openPage(): Promise<Page> {
    const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) faults.push(message.text());
    });
    return page;
  }

  const chatTexts = () => user.locator("chat-log .message .text").allInnerTexts();
  const status = (text: string | RegExp) => user.locator("chat-status").getByText(text).waitFor();
  async function userWrites(text: string): Promise<void> {
    await user.getByLabel("Your message").fill(text);
    await user.keyboard.press("Enter");
  }
  async function agentWrites(text: string): Promise<void> {
    await agent.getByLabel("Your reply").fill(text);
    await agent.keyboard.press("Enter");
    await agent.locator(".entry.agent", { hasText: text }).waitFor();
  }

  it("should bring user and agent together, survive a reload in the middle, and do it a second time", async () => {
    await user.goto(links.chat);
    await agent.goto(links.desk);
    await userWrites("hello");
    await expect.poll(chatTexts, { timeout: 10_000 }).toHaveLength(2);
    await userWrites("I want to talk to a human");
    await status(/Waiting for an agent/);
    await userWrites("my order is late");

    await agent.locator(".lists button.item").first().click();
    await agent.getByRole("button", { name: "Accept" }).click();
    for (const text of ["hello", "I want to talk to a human", "my order is late"]) {
      await agent.locator(".entry.user", { hasText: text }).waitFor();
    }
    await agentWrites("Hi, Ann here. Which order?");
    await user.getByText("Hi, Ann here. Which order?").waitFor();
    await status(/Ann/);
    await agent.getByText("Private note").click();
    await agent.getByLabel("Your private note").fill("has called twice");
    await agent.getByRole("button", { name: "Add note" }).click();
    await agent.getByText("Reply", { exact: true }).click();

    const before = await chatTexts();
    await user.reload();
    await expect.poll(chatTexts, { timeout: 10_000 }).toEqual(before);
    await userWrites("number 4711");
    await agent.locator(".entry.user", { hasText: "number 4711" }).waitFor();
    await agentWrites("It arrives tomorrow.");
    await user.getByText("It arrives tomorrow.").waitFor();
    await agent.getByRole("button", { name: "Close" }).click();
    await status(/assistant/);
    expect((await chatTexts()).join("\n")).not.toContain("has called twice");
    await userWrites("are you the bot?");
    await expect.poll(async () => (await chatTexts()).at(-1), { timeout: 10_000 }).toContain("demo bot");

    await userWrites("an agent again, please");
    await status(/Waiting for an agent/);
    await agent.locator(".lists button.item", { hasNotText: "It arrives tomorrow." }).first().click();
    await agent.getByRole("button", { name: "Accept" }).click();
    await agent.locator(".entry.user", { hasText: "an agent again, please" }).waitFor();
    expect(await agent.locator(".entry.user", { hasText: "number 4711" }).count()).toBe(0);
    await agentWrites("Second time, gladly.");
    await user.getByText("Second time, gladly.").waitFor();
    await user
      .getByRole("button", { name: /leave|end/i })
      .first()
      .click();
    await status(/assistant/);
    await expect.poll(async () => agent.locator(".bar .pill").innerText(), { timeout: 10_000 }).toMatch(/closed/i);

    const texts = await chatTexts();
    expect(new Set(texts).size).toBe(texts.length - (texts.filter((text) => text.includes("demo bot")).length - 1));
    expect(faults).toEqual([]);
  }, 90_000);
});

async function startDemo(folder: string): Promise<{ demo: ChildProcess; links: Record<"chat" | "desk", string> }> {
  const demo = spawn(process.execPath, [startFile], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HANDOVER_PORT: String(await freePort()),
      HANDOVER_SIMULATORS_PORT: String(await freePort()),
      HANDOVER_DATA: folder,
    },
  });
  let output = "";
  await new Promise<void>((resolve) => {
    demo.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Stop with Ctrl-C")) resolve();
    });
  });
  const link = (name: string) => new RegExp(`${name}\\s+(http\\S+)`).exec(output)?.[1] ?? "";
  return { demo, links: { chat: link("Chat"), desk: link("Agent desk") } };
}
