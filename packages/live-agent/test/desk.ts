import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { HandoverConnection, ProviderContext, Started, StartRequest, VendorDelivery } from "@handover/core";
import { parseConfig } from "@handover/core";
import { startSimulators, type LiveAgentSimulator, type LiveAgentSimulatorOptions, type LoggedRequest } from "@handover/simulators";
import { expectDocumented } from "./request-schemas.ts";
import { liveAgentProvider, type LiveAgentOptions, type LiveAgentState } from "../src/index.ts";
import { makeCall, makeContext, makeHandover, makeStartCall } from "../src/__fixtures__/calls.ts";

export type Connection = Required<Pick<HandoverConnection<LiveAgentOptions, LiveAgentState>, Abilities>>;
type Abilities =
  | "start"
  | "findStarted"
  | "planMessage"
  | "sendMessage"
  | "findSentMessage"
  | "receiveWebhook"
  | "translate"
  | "end"
  | "catchUp"
  | "checkConnection"
  | "checkAvailability"
  | "getQueueStatuses"
  | "updateHandover"
  | "findChanged"
  | "prepare"
  | "close"
  | "accountKey";

/** A simulated Live Agent, a connection to it, and what its webhooks were cut into. */
export interface Desk {
  readonly simulator: LiveAgentSimulator;
  readonly connection: Connection;
  readonly context: ProviderContext;
  readonly deliveries: VendorDelivery[];
  connect(settings?: Record<string, unknown>, context?: ProviderContext): Connection;
  startHandover(request?: Partial<StartRequest<LiveAgentOptions>>): Promise<Started<LiveAgentState>>;
  handover(started: Started<LiveAgentState>): ReturnType<typeof makeHandover>;
  /** The calls that arrived: method and end of the path. */
  calls(matching?: string): LoggedRequest[];
  close(): Promise<void>;
}

export async function openDesk(options: LiveAgentSimulatorOptions = {}): Promise<Desk> {
  const simulators = await startSimulators({ liveAgent: options });
  const simulator = simulators.liveAgent;
  const deliveries: VendorDelivery[] = [];
  const connections: Connection[] = [];
  const context = makeContext();

  function connect(settings: Record<string, unknown> = {}, own: ProviderContext = context): Connection {
    const required = { baseUrl: simulator.baseUrl, accountId: simulator.accountId, inboxId: simulator.inboxId, apiKey: simulator.apiKey };
    const parsed = parseConfig(liveAgentProvider.settings, { ...required, ...settings }, "test");
    const connection = liveAgentProvider.connect(parsed, own) as Connection;
    connections.push(connection);
    return connection;
  }

  const connection = connect();
  const receiver = createServer((request, response) => {
    void receive(request).then((status) => response.writeHead(status).end());
  });
  async function receive(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const raw = { method: "POST", path: "/hook", query: "", headers, body: Buffer.concat(chunks), hasValidSecret: true };
    try {
      deliveries.push(...(await connection.receiveWebhook(raw, makeCall())).deliveries);
      return 200;
    } catch {
      return 401;
    }
  }
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  simulator.setWebhookUrl(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);

  return {
    simulator,
    connection,
    context,
    deliveries,
    connect,
    startHandover: (request = {}) => connection.start(makeRequest(request), makeStartCall()),
    handover: (started) => ({ ...makeHandover(), references: started.references, state: started.state }),
    calls: (matching = "") => simulator.requests().filter((request) => `${request.method} ${request.path}`.includes(matching)),
    async close() {
      const requests = simulator.requests();
      for (const open of connections) await open.close();
      await simulators.close();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
      expectDocumented(requests);
    },
  };
}

export function makeRequest(fields: Partial<StartRequest<LiveAgentOptions>> = {}): StartRequest<LiveAgentOptions> {
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
