import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulators } from "@handover/simulators";
import { afterEach, expect, it } from "vitest";
import { expectDocumented } from "../../../packages/live-agent/test/request-schemas.ts";
import { createApp } from "../src/create-app.ts";
import { createRuntime } from "../src/create-runtime.ts";

const webhookSecret = "a-secret-of-this-test-0123456789";
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "handover-express-"));
  stopping.push(() => rm(folder, { recursive: true, force: true }));
  const simulators = await startSimulators();
  stopping.push(async () => {
    await simulators.close();
    expectDocumented(simulators.liveAgent.requests());
  });
  const { liveAgent } = simulators;
  const runtime = await createRuntime({
    HANDOVER_DATABASE: join(folder, "handover.db"),
    LIVE_AGENT_BASE_URL: liveAgent.baseUrl,
    LIVE_AGENT_ACCOUNT_ID: String(liveAgent.accountId),
    LIVE_AGENT_INBOX_ID: String(liveAgent.inboxId),
    LIVE_AGENT_API_KEY: liveAgent.apiKey,
    WEBHOOK_SECRET: webhookSecret,
  });
  await runtime.start();
  stopping.push(() => runtime.stop());
  const server = createApp(runtime).listen(0, "127.0.0.1");
  await once(server, "listening");
  stopping.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  liveAgent.setWebhookUrl(`${url}/webhooks/${webhookSecret}`);
  return { liveAgent, url };
}

/** Reads the stream until a line of it says this. */
async function readUntil(url: string, said: string): Promise<string> {
  const gone = new AbortController();
  const response = await fetch(url, { signal: gone.signal });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes(said)) break;
  }
  gone.abort();
  return text;
}

it("should carry a whole handover and give the conversation back to the bot [F178: Express]", async () => {
  const { liveAgent, url } = await start();
  const chat = `${url}/chat/${encodeURIComponent("a/b 42")}`;
  const write = async (id: string, text: string): Promise<number> => {
    const body = JSON.stringify({ id, text });
    return (await fetch(chat, { method: "POST", headers: { "content-type": "application/json" }, body })).status;
  };

  expect(await write("1", "An agent, please")).toBe(202);
  const [conversation] = await liveAgent.waitFor((all) => all.some(({ status }) => status === "queued"));
  const { id } = conversation!;
  liveAgent.accept(id);
  liveAgent.say(id, { text: "This is Ann." });
  await readUntil(chat, "This is Ann.");
  expect([await write("2", "My parcel is lost"), await write("2", "My parcel is lost")]).toEqual([202, 202]);
  await liveAgent.waitFor((all) => all.some(({ messages }) => messages.some(({ text }) => text === "My parcel is lost")));
  expect((await fetch(`${chat}/handover`, { method: "DELETE" })).status).toBe(202);
  await liveAgent.waitFor((all) => all.every(({ status }) => status === "closed"));
  await readUntil(chat, '"reason":"completed"');
  expect(await write("3", "Hello")).toBe(202);
  const log = await readUntil(chat, "I am a bot.");
  expect(log.match(/"text":"My parcel is lost"/g)).toHaveLength(1);
});

it("should refuse webhooks with another secret, and tell what is wrong with a request [F103: the example]", async () => {
  const { url } = await start();
  const post = (path: string, body: string): Promise<Response> =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect((await post("/webhooks/another-secret", "{}")).status).toBe(401);
  expect((await post(`/webhooks/${webhookSecret}`, "no json")).status).toBe(400);
  const refused = await post("/chat/1", JSON.stringify({ id: "1", text: "" }));
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, "MESSAGE_EMPTY"]);
  expect((await post("/chat/1", "no json")).status).toBe(400);
});
