import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { startSimulators } from "@handover/simulators";
import { afterEach, expect, it, vi } from "vitest";
import { expectDocumented } from "../../../packages/live-agent/test/request-schemas.ts";
import { GET, POST as write } from "../app/chat/[conversation]/route.ts";
import { POST as receive } from "../app/handover/live-agent/[connection]/[secret]/route.ts";
import { stopRuntime } from "../lib/handover.ts";

const webhookSecret = "a-secret-of-this-test-0123456789";
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
  vi.unstubAllEnvs();
});

/** Stands for Next.js: finds the handler by the path and hands it a standard request. */
async function serveWebhooks(): Promise<string> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "https://site.example");
    const [connection = "", secret = ""] = url.pathname.split("/").slice(-2);
    const headers = request.headers as Record<string, string>;
    const body = new Uint8Array(await buffer(request));
    const answer = await receive(new Request(url, { method: "POST", headers, body }), { params: Promise.resolve({ connection, secret }) });
    response.writeHead(answer.status).end(await answer.text());
  };
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stopping.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/handover/live-agent/desk`;
}

it("should take webhooks and messages in route handlers, and stream what comes back [F178: Next.js]", async () => {
  const folder = await mkdtemp(join(tmpdir(), "handover-nextjs-"));
  stopping.push(() => rm(folder, { recursive: true, force: true }));
  const simulators = await startSimulators();
  const check = async (): Promise<void> => expectDocumented(simulators.liveAgent.requests());
  stopping.push(check, () => simulators.close(), stopRuntime);
  const { liveAgent } = simulators;
  vi.stubEnv("HANDOVER_DATABASE", join(folder, "handover.db"));
  vi.stubEnv("LIVE_AGENT_BASE_URL", liveAgent.baseUrl);
  vi.stubEnv("LIVE_AGENT_ACCOUNT_ID", String(liveAgent.accountId));
  vi.stubEnv("LIVE_AGENT_INBOX_ID", String(liveAgent.inboxId));
  vi.stubEnv("LIVE_AGENT_API_KEY", liveAgent.apiKey);
  vi.stubEnv("WEBHOOK_SECRET", webhookSecret);
  const webhooks = await serveWebhooks();
  liveAgent.setWebhookUrl(`${webhooks}/${webhookSecret}`);

  const context = { params: Promise.resolve({ conversation: "42" }) };
  const message = JSON.stringify({ id: "1", text: "I need a person" });
  expect((await write(new Request("https://site.example/chat/42", { method: "POST", body: message }), context)).status).toBe(202);
  const [conversation] = await liveAgent.waitFor((all) => all.some(({ status }) => status === "queued"));
  liveAgent.say(conversation!.id, { text: "This is Ann." });

  const gone = new AbortController();
  const stream = await GET(new Request("https://site.example/chat/42", { signal: gone.signal }), context);
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes("This is Ann.")) break;
  }
  expect(text).toContain('"text":"I need a person"');

  const forged = await fetch(`${webhooks}/another-secret`, { method: "POST", body: "{}" });
  expect(forged.status).toBe(401);
});
