import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBotServer, type BotServer } from "./support/bot-server.ts";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let files: Server;
let bot: BotServer;
let base: string;
const requested: string[] = [];

beforeAll(async () => {
  files = createServer((request, response) => {
    requested.push(request.url ?? "");
    if (request.url === "/redirect") response.writeHead(302, { location: "/plan.txt" }).end();
    else response.end("the plan");
  }).listen(0, "127.0.0.1");
  await once(files, "listening");
  base = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  bot = await startBotServer(({ message }) =>
    message?.text === "agent" ? { handover: {}, messages: [{ text: "see", attachments: [{ name: "inner", url: `${base}/bot` }] }] } : {},
  );
});
afterAll(async () => {
  files.close();
  await bot.close();
});

async function openHost(attachments: object): Promise<TestHost> {
  return startTestHost({
    root: {
      plugins: [fileURLToPath(new URL("./support/link-desk.ts", import.meta.url))],
      connections: { desk: { provider: "link-desk", webhookSecrets: [marked.webhookSecret] } },
      attachments,
    },
    endpoints: [{ ...supportEndpoint, bot: { http: { url: bot.url, secret: marked.botSecret } } }],
  });
}

/** A handover whose agent sends a link to a file. */
async function receiveLink(host: TestHost, link: string): Promise<string> {
  const url = host.conversation("c");
  await send("POST", `${url}/messages`, { id: "ask", text: "agent" });
  await readUntil(url, ({ status }) => status === "queued");
  const webhook = `${host.url}/handover/link-desk/desk/${marked.webhookSecret}`;
  expect((await send("POST", webhook, { conversation: "c", id: "v1", url: link })).status).toBe(200);
  return url;
}

test.each(["/plan.txt", "/redirect"])(
  "should never follow a link of a desk to an address of this machine: %s [F115 host: loopback]",
  async (path) => {
    const host = await openHost({});
    try {
      const url = await receiveLink(host, base + path);
      const entries = await readUntil(url, ({ event, about }) => event === "message-failed" && about !== undefined);
      expect(entries.at(-1)).toMatchObject({ cause: { code: "LINK_REFUSED" }, text: "A file of this message could not be loaded." });
      const file = entries.find(({ attachments, author }) => attachments && author?.role === "agent")?.attachments?.[0];
      expect(await send("GET", `${url}/attachments/${file?.id ?? ""}`)).toMatchObject({
        status: 410,
        json: { code: "ATTACHMENT_UNAVAILABLE" },
      });
      expect(JSON.stringify(entries.filter(({ author }) => author?.role === "agent"))).not.toContain(base);
      // The desk was told of the bot's file without its bytes.
      expect(entries.some(({ event, about }) => event === "message-failed" && entries[(about ?? 0) - 1]?.author?.role === "bot")).toBe(
        false,
      );
      expect(requested).toEqual([]);
      expect(host.logLines.join("\n")).not.toContain(base);
    } finally {
      await host.stop();
    }
  },
);

test("should follow it where the operator allows that, through redirects", async () => {
  const host = await openHost({ allowPrivateLinks: true });
  try {
    const url = await receiveLink(host, `${base}/redirect`);
    const entries = await readUntil(url, ({ attachments, author }) => attachments !== undefined && author?.role === "agent");
    const path = `${url}/attachments/${entries.at(-1)?.attachments?.[0]?.id ?? ""}`;
    await expect.poll(() => send("GET", path), { timeout: 10_000 }).toMatchObject({ status: 200, text: "the plan" });
    expect(requested.filter((one) => one !== "/bot")).toEqual(["/redirect", "/plan.txt"]);
  } finally {
    await host.stop();
  }
});
