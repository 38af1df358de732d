import { type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { createTestVendor, type TestVendor } from "../../../packages/testkit/src/index.ts";
import { png } from "../../../test/runtime/support/files.ts";
import { chromiumPath, launchBrowser, withoutBrowser } from "../../../test/support/browser.ts";
import { marked } from "./support/test-configuration.ts";
import { startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

if (!chromiumPath) console.warn(`Left out: files on the chat page (${withoutBrowser}).`);
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });

describe.skipIf(!chromiumPath)("files on the chat page", () => {
  let browser: Browser;
  let context: BrowserContext;
  let vendor: TestVendor;
  let host: TestHost;
  let page: Page;
  let violations: string[];
  let ticket: string;

  beforeAll(async () => {
    vendor = await createTestVendor();
    host = await startTestHost({
      root: {
        plugins: [vendor.pluginFile],
        connections: { desk: { provider: vendor.provider.name, settings: vendor.settings, webhookSecrets: [marked.webhookSecret] } },
        limits: { attachmentBytes: 10_000 },
      },
      endpoints: [{ ...supportEndpoint, handover: { connections: ["desk"] } }],
    });
    vendor.backend.setWebhookUrl(`${host.url}/handover/${vendor.provider.name}/desk/${marked.webhookSecret}`);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await host.stop();
    await vendor.close();
  });

  beforeEach(async () => {
    violations = [];
    context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
    context.setDefaultTimeout(10_000);
    page = await context.newPage();
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) violations.push(message.text());
    });
    page.on("pageerror", (error) => violations.push(error.message));
    page.on("dialog", (dialog) => {
      violations.push(dialog.message());
      void dialog.dismiss();
    });
    const before = new Set(vendor.backend.conversations().map(({ id }) => id));
    await page.goto(`${host.url}/chat/support`);
    await page.getByRole("button", { name: "Talk to a person" }).click();
    ticket = (await vendor.backend.waitFor((all) => all.some(({ id }) => !before.has(id)))).find(({ id }) => !before.has(id))?.id ?? "";
  });
  afterEach(async () => {
    await context.close();
    expect(violations).toEqual([]);
  });

  const pick = (...files: readonly { readonly name: string; readonly mimeType: string; readonly buffer: Buffer }[]) =>
    page.locator("input[type=file]").setInputFiles([...files]);
  const shown = () => page.locator("chat-log .attachment");
  const textFile = (name: string, size = 5) => ({ name, mimeType: "text/plain", buffer: Buffer.alloc(size, "x") });

  it("should send picked files with a message and without one, and show them with name and size", async () => {
    await pick(textFile("notes.txt"), { name: "Foto 部屋.png", mimeType: "image/png", buffer: png });
    const picked = page.getByRole("list", { name: "Picked files" }).getByRole("listitem");
    await eventually(() => picked.count()).toBe(2);
    await eventually(() => picked.first().innerText()).toContain("5 B");
    await page.getByLabel("Your message").fill("see these");
    await page.keyboard.press("Enter");
    await eventually(() => shown().allInnerTexts()).toEqual(["notes.txt (5 B)", `Foto 部屋.png (${png.length} B)`]);
    await eventually(() => picked.count()).toBe(0);
    await eventually(() =>
      page
        .locator("chat-log img.preview")
        .evaluateAll((images) => images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth)),
    ).toEqual([1]);
    await pick(textFile("alone.txt"));
    await eventually(() => picked.first().innerText()).toContain("5 B");
    await page.getByRole("button", { name: "Send" }).click();
    await eventually(() => shown().last().innerText()).toBe("alone.txt (5 B)");
    await page.reload();
    await eventually(() => shown().allInnerTexts()).toEqual(["notes.txt (5 B)", `Foto 部屋.png (${png.length} B)`, "alone.txt (5 B)"]);
  });

  it("should say why a file cannot be sent, let it be removed, and send the rest [F134 user told with the limit, on the page]", async () => {
    await pick(textFile("big.txt", 20_000), textFile("small.txt"));
    const failed = page.getByRole("listitem").filter({ hasText: "big.txt" });
    await eventually(() => failed.getByRole("alert").innerText()).toContain("10000 bytes");
    await page.getByRole("button", { name: "Send" }).click();
    await eventually(() => shown().allInnerTexts()).toEqual(["small.txt (5 B)"]);
    await page.getByRole("button", { name: "Remove big.txt" }).click();
    await eventually(() => failed.count()).toBe(0);
  });

  it("should show the agent's files, and nothing in their names runs [F114 file name, on the page]", async () => {
    const markup = '"><img src=x onerror=alert(1)> =cmd().png';
    await vendor.backend.agentSendsFile(ticket, { name: markup, type: "image/png", bytes: png });
    await vendor.backend.agentSendsFile(ticket, { name: "fake.png", type: "image/png", bytes: Buffer.from("<script>alert(1)</script>") });
    await vendor.backend.agentSendsFile(ticket, { name: "page.html", type: "text/html", bytes: Buffer.from("<script>alert(2)</script>") });
    await eventually(() => shown().allInnerTexts()).toEqual([`${markup} (${png.length} B)`, "fake.png (25 B)", "page.html (25 B)"]);
    // The one that is no picture is a link and nothing else.
    await eventually(() => page.locator("chat-log img.preview").count()).toBe(1);
    const saved = page.waitForEvent("download");
    await shown().last().click();
    expect((await saved).suggestedFilename()).toBe("page.html");
  });

  it("should say that a file of the agent could not be loaded", async () => {
    await vendor.backend.agentSendsFile(ticket, { name: "huge.bin", type: "application/octet-stream", bytes: Buffer.alloc(20_000) });
    await page.locator("chat-log").getByText("A file of this message could not be loaded.").waitFor();
    await eventually(() => shown().allInnerTexts()).toEqual(["huge.bin (20 KB)"]);
  });
});
