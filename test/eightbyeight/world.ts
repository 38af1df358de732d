import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import eightbyeight from "@handover/eightbyeight";
import { createHandoverRuntime, type Bot, type HandoverRuntime, type Timing } from "@handover/runtime";
import { startSimulators, type EightbyeightBehaviour, type EightbyeightSimulator } from "@handover/simulators";
import { createSqliteStore } from "@handover/store-sqlite";
import { openKeyServer, type KeyServer } from "../../packages/eightbyeight/test/signing.ts";
import { expectKnownCalls } from "../../packages/eightbyeight/test/wire-requests.ts";
import { record, type Recorder } from "../runtime/support/recorder.ts";

export const address = { endpoint: "web", conversation: "c" };

/** A runtime with the 8x8 provider on a simulated 8x8, and what the bot was asked. */
export interface EightbyeightWorld {
  readonly runtime: HandoverRuntime;
  readonly simulator: EightbyeightSimulator;
  /** Knows the key of the tests beside those of the simulator. */
  readonly keys: KeyServer;
  readonly chat: Recorder;
  /** Texts and events that the bot was called with. */
  readonly asked: string[];
  /** Goes on with the runtime's clock. */
  advance(ms: number): void;
  now(): number;
  /** Asks for an agent and waits until 8x8 has the conversation. @returns its id there */
  queue(): Promise<string>;
  webhook(body: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; code?: string }>;
  /** Checks every call that was made against what 8x8 takes. */
  close(): Promise<void>;
}

export async function openWorld(
  options: { behaviour?: Partial<EightbyeightBehaviour>; settings?: object; timing?: Partial<Timing> } = {},
): Promise<EightbyeightWorld> {
  const folder = await mkdtemp(join(tmpdir(), "handover-eightbyeight-"));
  const simulators = await startSimulators({ eightbyeight: { behaviour: { webhookRetryDelayMs: 0, ...options.behaviour } } });
  const { eightbyeight: simulator } = simulators;
  const keys = await openKeyServer(() => simulator.baseUrl);
  const asked: string[] = [];
  const shift = { ms: 0 };
  const bot: Bot = {
    async answer({ message, event }) {
      asked.push(message?.text ?? event?.type ?? "");
      return message?.text === "agent" ? { handover: { options: {} } } : { messages: [{ text: "I am a bot." }] };
    },
  };
  const { baseUrl, apiKey, tenant, channelId } = simulator;
  const runtime = await createHandoverRuntime({
    store: createSqliteStore({ path: join(folder, "handover.db") }),
    providers: [eightbyeight],
    connections: {
      desk: { provider: "eightbyeight", settings: { baseUrl, apiKey, tenant, channelId, jwkBaseUrl: keys.baseUrl, ...options.settings } },
    },
    endpoints: [{ token: address.endpoint, bot, handover: { connections: ["desk"] } }],
    publicUrl: "http://127.0.0.1:1",
    timing: { retryFirstMs: 10, echoWaitMs: 20, pollMs: 50, ...options.timing },
    clock: shiftedClock(() => shift.ms),
  });

  async function handle(path: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Response> {
    return runtime.handleWebhook("desk", new Request(`http://127.0.0.1${path}`, { method: "POST", headers, body: new Uint8Array(body) }));
  }
  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = await handle(request.url ?? "/", Buffer.concat(chunks), headers);
    response.writeHead(answer.status).end();
  }
  const server = createServer((request, response) => void forward(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  simulator.setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/handover/eightByEight/desk`);
  await runtime.start();

  const world: EightbyeightWorld = {
    runtime,
    simulator,
    keys,
    chat: record(runtime, address),
    asked,
    advance(ms) {
      shift.ms += ms;
    },
    now: () => Date.now() + shift.ms,
    async queue() {
      await runtime.receiveMessage({ ...address, message: { id: "ask", text: "agent" } });
      await world.chat.untilStatus("queued");
      const [conversation] = simulator.conversations();
      if (!conversation) throw new Error("8x8 has no conversation.");
      return conversation.id;
    },
    async webhook(body, headers) {
      const answer = await handle("/handover/eightByEight/desk", Buffer.from(body), headers);
      const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
      return { status: answer.status, ...(code === undefined ? {} : { code }) };
    },
    async close() {
      world.chat.stop();
      await runtime.stop();
      const calls = simulator.requests();
      await simulators.close();
      await keys.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
      expectKnownCalls(calls, tenant);
    },
  };
  return world;
}

function shiftedClock(offsetMs: () => number) {
  return {
    now: () => Date.now() + offsetMs(),
    after(delayMs: number, run: () => void) {
      const timer = setTimeout(run, Math.min(Math.max(0, delayMs), 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}
