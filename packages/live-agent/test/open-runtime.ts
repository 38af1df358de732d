import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createHandoverRuntime, type Bot, type HandoverRuntime } from "../../runtime/src/index.ts";
import { startSimulators, type LiveAgentSimulator, type LiveAgentSimulatorOptions } from "@handover/simulators";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { liveAgentProvider } from "../src/index.ts";
import { expectDocumented } from "./request-schemas.ts";

const webhookSecret = "a-secret-of-this-test-0123456789";

/** A runtime with a bot, a simulated Live Agent behind it, and webhooks between them. */
export interface RunningDesk {
  readonly runtime: HandoverRuntime;
  readonly simulator: LiveAgentSimulator;
  close(): Promise<void>;
}

/** What a test needs to be otherwise. */
export interface RuntimeFields {
  readonly whenUnknown?: "start" | "stop";
  readonly availabilityTimeoutMs?: number;
  readonly startTimeoutMs?: number;
}

export async function openRuntime(
  options: LiveAgentSimulatorOptions = {},
  bot?: Bot,
  { whenUnknown = "start", ...timing }: RuntimeFields = {},
): Promise<RunningDesk> {
  const folder = await mkdtemp(join(tmpdir(), "handover-live-agent-"));
  const simulators = await startSimulators({ liveAgent: options });
  const simulator = simulators.liveAgent;
  const { baseUrl, accountId, inboxId, apiKey } = simulator;
  const runtime = await createHandoverRuntime({
    store: createSqliteStore({ path: join(folder, "handover.db") }),
    providers: [liveAgentProvider],
    connections: {
      desk: { provider: "live-agent", settings: { baseUrl, accountId, inboxId, apiKey }, webhookSecrets: [webhookSecret] },
    },
    endpoints: [{ token: "chat", ...(bot ? { bot } : {}), handover: { connections: ["desk"], availability: { whenUnknown } } }],
    timing: { retryFirstMs: 10, echoWaitMs: 50, pollMs: 50, callTimeoutMs: 1_000, ...timing },
  });
  await runtime.start();
  const server = createServer((request, response) => {
    void (async () => {
      const body = new Uint8Array(await buffer(request));
      const headers = request.headers as Record<string, string>;
      const webhook = new Request(new URL(request.url ?? "/", "http://localhost"), { method: "POST", headers, body });
      response.writeHead((await runtime.handleWebhook("desk", webhook)).status).end();
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  simulator.setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${webhookSecret}`);
  return {
    runtime,
    simulator,
    async close() {
      const requests = simulator.requests();
      await runtime.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await simulators.close();
      await rm(folder, { recursive: true, force: true });
      expectDocumented(requests);
    },
  };
}
