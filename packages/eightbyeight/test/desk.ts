import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Handover, HandoverConnection, ProviderContext, Started, StartRequest, VendorDelivery } from "@handover/core";
import { parseConfig } from "@handover/core";
import { startSimulators, type EightbyeightSimulator, type EightbyeightSimulatorOptions, type LoggedRequest } from "@handover/simulators";
import { makeCall, makeContext, makeHandover, makeStartCall } from "../src/__fixtures__/calls.ts";
import { eightbyeightProvider, type EightbyeightOptions, type EightbyeightState } from "../src/index.ts";
import { expectKnownCalls } from "./wire-requests.ts";

export type Connection = HandoverConnection<EightbyeightOptions, EightbyeightState>;
export type EightbyeightHandover = Handover<EightbyeightOptions, EightbyeightState>;

/** A simulated 8x8, a connection to it, and what its webhooks were cut into. */
export interface Desk {
  readonly simulator: EightbyeightSimulator;
  readonly connection: Connection;
  readonly context: ProviderContext;
  readonly deliveries: VendorDelivery[];
  readonly refused: string[];
  connect(settings?: Record<string, unknown>, context?: ProviderContext): Connection;
  startHandover(request?: Partial<StartRequest<EightbyeightOptions>>): Promise<Started<EightbyeightState>>;
  handover(started: Started<EightbyeightState>, state?: Partial<EightbyeightState>): EightbyeightHandover;
  /** The calls that arrived: method and end of the path. */
  calls(matching?: string): LoggedRequest[];
  /** Bodies of the calls that end like this. */
  bodies(matching: string): Record<string, unknown>[];
  close(): Promise<void>;
}

/** Every call is checked against what 8x8 takes when the desk is closed. */
export async function openDesk(options: EightbyeightSimulatorOptions = {}, settings: Record<string, unknown> = {}): Promise<Desk> {
  const behaviour = { webhookRetryDelayMs: 0, ...options.behaviour };
  const simulators = await startSimulators({ eightbyeight: { ...options, behaviour } });
  const simulator = simulators.eightbyeight;
  const deliveries: VendorDelivery[] = [];
  const refused: string[] = [];
  const connections: Connection[] = [];

  const receiver = createServer((request, response) => {
    void receive(request).then((status) => response.writeHead(status).end());
  });
  async function receive(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const raw = { method: "POST", path: "/hook", query: "", headers, body: Buffer.concat(chunks), hasValidSecret: true };
    try {
      deliveries.push(...((await connection.receiveWebhook?.(raw, makeCall()))?.deliveries ?? []));
      return 200;
    } catch (error) {
      refused.push((error as { code: string }).code);
      return 401;
    }
  }
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/handover/eightByEight/desk/secret`;
  if (options.hasChannel !== false) simulator.setWebhookUrl(webhookUrl);
  const context = makeContext({ webhookUrl });

  function connect(own: Record<string, unknown> = {}, ownContext: ProviderContext = context): Connection {
    const required = { baseUrl: simulator.baseUrl, apiKey: simulator.apiKey, tenant: simulator.tenant, channelId: simulator.channelId };
    const parsed = parseConfig(eightbyeightProvider.settings, { ...required, ...settings, ...own }, "test");
    const made = eightbyeightProvider.connect(parsed, ownContext);
    connections.push(made);
    return made;
  }

  const connection = connect();
  const calls = (matching = ""): LoggedRequest[] =>
    simulator.requests().filter((request) => `${request.method} ${request.path}`.includes(matching));
  return {
    simulator,
    connection,
    context,
    deliveries,
    refused,
    connect,
    startHandover: (request = {}) => connection.start(makeRequest(request), makeStartCall()),
    handover: (started, state = {}) => ({ ...makeHandover(), references: started.references, state: { ...started.state, ...state } }),
    calls,
    bodies: (matching) =>
      calls()
        .filter(({ method, path, body }) => body !== undefined && `${method} ${path}`.endsWith(matching))
        .map(({ body }) => body as Record<string, unknown>),
    async close() {
      try {
        expectKnownCalls(simulator.requests());
      } finally {
        for (const open of connections) await open.close?.();
        await simulators.close();
        receiver.closeAllConnections();
        await new Promise((resolve) => receiver.close(resolve));
      }
    },
  };
}

export function makeRequest(fields: Partial<StartRequest<EightbyeightOptions>> = {}): StartRequest<EightbyeightOptions> {
  return {
    handoverId: crypto.randomUUID(),
    ordinal: 1,
    attempt: 1,
    conversation: "conversation-1",
    endpoint: "support",
    options: {},
    transcript: [],
    ...fields,
  };
}
