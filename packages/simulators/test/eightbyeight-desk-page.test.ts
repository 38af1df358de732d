import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { chromiumPath, launchBrowser } from "../../../test/support/browser.ts";
import { brief, startEightbyeight } from "./eightbyeight-harness.ts";

describe.skipIf(!chromiumPath)("the agent desk with two contact centres, in a browser", () => {
  test("should let a person choose the contact centre, then accept, answer, transfer and close there", async () => {
    const bench = await startEightbyeight();
    const id = await bench.converse();
    await bench.api("POST", `/conversations/${id}/messages`, { authorType: "user", text: "<img src=x onerror=alert(1)> help" });
    const page = await openPage(bench.url);
    await page.getByText("Cognigy Live Agent simulator").waitFor();
    await page.getByLabel("Contact centre").selectOption("8x8 Contact Center");
    await page.getByText("8x8 Contact Center simulator").waitFor();
    expect(new URL(page.url()).search).toBe("?vendor=eightbyeight");

    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.getByText("<img src=x onerror=alert(1)> help").last().waitFor();
    await page.getByRole("button", { name: "Accept" }).click();
    await bench.simulator.waitFor(([conversation]) => conversation?.agent === "Ann Agent");
    expect(await page.getByText("Private note").isVisible()).toBe(false);
    await bench.told();
    await page.getByLabel("Your reply").fill("Hello Uma");
    await page.keyboard.press("Enter");
    await page.locator(".entry.agent", { hasText: "Hello Uma" }).waitFor();
    bench.simulator.say(id, { attachment: { name: "<b>plan</b>.txt" } });
    await page.getByText("Attachment: <b>plan</b>.txt").waitFor();

    await page.getByLabel("Transfer to another agent or queue").selectOption("Queue Sales");
    await bench.simulator.waitFor(([conversation]) => conversation?.status === "queued");
    await page.getByRole("button", { name: "Accept" }).click();
    await bench.simulator.waitFor(([conversation]) => conversation?.status === "active");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText("This conversation is closed.").waitFor();
    await page.getByRole("button", { name: "Reopen" }).click();
    await bench.simulator.waitFor(([conversation]) => conversation?.status === "queued");
    const events = brief(await bench.told());
    expect(events).toEqual(expect.arrayContaining(["MESSAGE Hello Uma", "TRANSFER", "QUEUED 102", "CONVERSATION_UPDATE idle agent"]));
  });

  test("should count what is new since a conversation was last open", async () => {
    const bench = await startEightbyeight();
    const id = await bench.converse();
    const page = await openPage(`${bench.url}/?vendor=eightbyeight`);
    const writes = (text: string) => bench.api("POST", `/conversations/${id}/messages`, { authorType: "user", text });
    await writes("one");
    await writes("two");
    await page.getByText("2 new messages").waitFor();
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.locator(".entry.user", { hasText: "two" }).waitFor();
    const other = await bench.converse({ user: { name: "Otto" } });
    await page.getByRole("button", { name: /Otto/ }).click();
    await writes("three");
    await page.getByText("1 new message", { exact: false }).waitFor();
    expect(bench.simulator.conversation(other).messages).toEqual([]);
  });

  test("should fit a narrow window in spite of long ids", async () => {
    const bench = await startEightbyeight();
    await bench.converse();
    const page = await openPage(`${bench.url}/?vendor=eightbyeight`, { width: 380, height: 640 });
    await page.getByRole("button", { name: /Uma User/ }).click();
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByLabel("Your reply").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
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
