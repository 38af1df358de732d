import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { startSimulators } from "../support/checked-simulators.ts";
import { createSqliteStore } from "@handover/store-sqlite";
import type { Store } from "@handover/runtime";
import { createServer } from "../../apps/host/src/server/server.ts";
import { createHostRuntime } from "../../apps/host/src/create-host-runtime.ts";
import { readUntil } from "../../apps/host/test/support/read-events.ts";
import { createFolder, marked } from "../../apps/host/test/support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "../../apps/host/test/support/test-host.ts";
import { createHostProcess } from "../crash/host-process.ts";
import { openChannelClient } from "../crash/channel-client.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startHost(...parameters: Parameters<typeof startTestHost>): Promise<TestHost> {
  const host = await startTestHost(...parameters);
  cleanups.push(() => host.stop());
  return host;
}

const webhookPath = `/handover/live-agent/desk/${marked.webhookSecret}`;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A webhook of Live Agent for a message of an agent. */
function agentMessage(ticket: string, id: number, content: string): string {
  return JSON.stringify({
    event: "message_created",
    id,
    content,
    message_type: "outgoing",
    private: false,
    created_at: new Date().toISOString(),
    sender: { id: 2, name: "Alex", type: "user" },
    conversation: { id: Number(ticket), status: "open", labels: [] },
    account: { id: 1 },
    inbox: { id: 1 },
  });
}

async function handOver(host: TestHost, conversation: string): Promise<string> {
  const url = host.conversation(conversation);
  await send("POST", `${url}/messages`, { id: "1", text: "agent" });
  await readUntil(url, ({ status }) => status === "queued");
  return host.desk.conversations().at(-1)!.id;
}

/** Asks for the events of a conversation and never reads what comes. */
async function openDeafReader(url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(`${url}/events`);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  socket.pause();
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  return socket;
}

describe("a webhook", () => {
  it("should be answered in a moment and be in the store while the user's channel takes nothing [F002 live agent route]", async () => {
    const host = await startHost();
    // Blocked for as long as the test runs: a push channel that never comes back, and a reader that does not read.
    const pushed: string[] = [];
    const released = Promise.withResolvers<undefined>();
    cleanups.push(() => released.resolve(undefined));
    host.runtime.onEntry(({ kind }) => {
      pushed.push(kind);
      return released.promise;
    });
    const ticket = await handOver(host, "c");
    const deaf = await openDeafReader(host.conversation("c"));
    cleanups.push(() => deaf.destroy());
    await expect.poll(() => pushed.length).toBe(1);
    for (let number = 1; number <= 20; number += 1) {
      const startedAt = performance.now();
      const answer = await send("POST", `${host.url}${webhookPath}`, agentMessage(ticket, 1_000 + number, `line ${number}`));
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(answer.status).toBe(200);
    }
    // Who reads another way sees all of them.
    const entries = await readUntil(host.conversation("c"), ({ text }) => text === "line 20");
    const lines = entries.filter(({ author, kind }) => author?.role === "agent" && kind === "message");
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 1}`));
    expect(pushed).toHaveLength(1);
  });

  it("should be in the inbox of the store by the time it is answered [F002 durable inbox]", async () => {
    const host = await startHost();
    const log: string[] = [];
    const folder = createFolder();
    const store = createSqliteStore({ path: `${folder.path}/inbox.db` });
    cleanups.push(() => folder.remove());
    const noted: Store = {
      ...store,
      async receive(deliveries) {
        const result = await store.receive(deliveries);
        log.push(`stored ${result.parked}`);
        return result;
      },
    };
    const runtime = await createHostRuntime(host.configuration, { store: noted, logger: silent });
    await runtime.start();
    cleanups.push(() => runtime.stop());
    const request = new Request(`http://host.invalid${webhookPath}`, { method: "POST", body: agentMessage("7", 1, "early") });
    log.push(`answered ${(await runtime.handleWebhook("desk", request)).status}`);
    expect(log).toEqual(["stored 1", "answered 200"]);
  });

  it("should be answered with 5xx when it could not be stored, and not be lost when the process dies right after its 200 [F003]", async () => {
    const folder = createFolder();
    const host = await startHost();
    const store = createSqliteStore({ path: `${folder.path}/failing.db` });
    const runtime = await createHostRuntime(host.configuration, {
      store: { ...store, receive: () => Promise.reject(new Error("disk full")) },
      logger: silent,
    });
    await runtime.start();
    const server = await createServer({ configuration: host.configuration, runtime, logger: silent });
    const refused = await server.inject({ method: "POST", url: webhookPath, payload: agentMessage("7", 1, "lost?") });
    expect(refused.statusCode).toBe(503);
    await server.close();
    await runtime.stop();
    folder.remove();

    const simulators = await startSimulators({ liveAgent: { apiKey: marked.apiKey } });
    const { baseUrl, accountId, inboxId, apiKey } = simulators.liveAgent;
    cleanups.push(() => simulators.close());
    const program = await createHostProcess((port, path) =>
      JSON.stringify({
        plugins: ["live-agent"],
        publicUrl: `http://127.0.0.1:${port}`,
        listen: { port },
        store: { sqlite: `${path}/handover.db` },
        connections: {
          desk: { provider: "live-agent", settings: { baseUrl, accountId, inboxId, apiKey }, webhookSecrets: [marked.webhookSecret] },
        },
        endpoints: [supportEndpoint],
      }),
    );
    cleanups.push(() => program.close());
    await program.start();
    const chat = openChannelClient(program.url, "support", "c");
    cleanups.push(() => chat.close());
    await chat.send("1", "agent");
    await chat.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
    const ticket = simulators.liveAgent.conversations()[0]!.id;
    // The desk itself knows nothing of this line: only what the host has stored can bring it back.
    const answer = await send("POST", `${program.url}${webhookPath}`, agentMessage(ticket, 900_001, "said once"));
    program.killNow();
    expect(answer.status).toBe(200);
    await program.kill();
    await program.start();
    await chat.until("the line", (entries) => entries.some(({ text }) => text === "said once"));
    expect(chat.visible().filter(({ text }) => text === "said once")).toHaveLength(1);
  }, 30_000);
});
