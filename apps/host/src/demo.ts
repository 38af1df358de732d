import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HandoverError } from "@handover/core";
import { startSimulators, type Simulators } from "@handover/simulators";
import type { HostConfiguration } from "./configuration/host-configuration.ts";
import type { Environment } from "./configuration/interpolate.ts";
import { checkConfiguration, readPort } from "./configuration/load-configuration.ts";
import { sourceOfValue } from "./configuration/yaml-source.ts";
import { startHost, toListenError, type Host } from "./host.ts";
import { Problem } from "./server/problem.ts";

const liveAgentName = "demo-live-agent";
const eightbyeightName = "demo-eightbyeight";
const loopback = "127.0.0.1";

/** Host and contact centres on this machine. */
export interface Demo {
  readonly host: Host;
  readonly configuration: HostConfiguration;
  readonly deskUrl: string;
  stop(): Promise<void>;
}

/** Where the demo keeps its data. */
export function demoStorePath(environment: Environment): string {
  return resolve(environment["HANDOVER_DATA"] || "data", "handover.db");
}

/** Starts the simulators, then a host whose connections are theirs. `say` gets a line for each step. */
export async function startDemo(environment: Environment, say: (line: string) => void): Promise<Demo> {
  say("Starting the simulated contact centres ...");
  const simulators = await startDemoSimulators(readPort(environment["HANDOVER_SIMULATORS_PORT"], "HANDOVER_SIMULATORS_PORT") ?? 4100);
  try {
    const port = await settlePort(readPort(environment["HANDOVER_PORT"], "HANDOVER_PORT") ?? 4000);
    const configuration = await createDemoConfiguration({ simulators, port, storePath: demoStorePath(environment) });
    say("Starting the host ...");
    const host = await startHost(configuration, { checkHealth: () => checkSimulators(simulators) });
    const connections = new Map(host.runtime.connections().map((connection) => [connection.name, connection.webhookUrl]));
    simulators.liveAgent.setWebhookUrl(connections.get(liveAgentName) ?? null);
    simulators.eightbyeight.setWebhookUrl(connections.get(eightbyeightName) ?? null);
    return {
      host,
      configuration,
      deskUrl: `${simulators.url}/`,
      async stop() {
        await host.stop();
        await simulators.close();
      },
    };
  } catch (error) {
    await simulators.close();
    throw error;
  }
}

async function startDemoSimulators(port: number): Promise<Simulators> {
  try {
    return await startSimulators({ port, host: loopback, liveAgent: { idOffset: nextIdOffset() } });
  } catch (error) {
    throw toListenError(error, { host: loopback, port, variable: "HANDOVER_SIMULATORS_PORT" });
  }
}

/** A contact centre never gives an id out twice, and the host still knows those of the last demo: ten new ones for each second. */
function nextIdOffset(): number {
  return Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 100);
}

async function createDemoConfiguration(parts: {
  readonly simulators: Simulators;
  readonly port: number;
  readonly storePath: string;
}): Promise<HostConfiguration> {
  const { liveAgent, eightbyeight } = parts.simulators;
  const value = {
    plugins: ["live-agent", "eightbyeight"],
    publicUrl: `http://${loopback}:${parts.port}`,
    listen: { host: loopback, port: parts.port },
    store: { sqlite: parts.storePath },
    connections: {
      [liveAgentName]: { provider: "live-agent", settings: pick(liveAgent, "baseUrl", "accountId", "inboxId", "apiKey") },
      [eightbyeightName]: { provider: "eightbyeight", settings: pick(eightbyeight, "baseUrl", "apiKey", "tenant", "channelId") },
    },
    endpoints: [demoEndpoint(liveAgentName, "Demo: Live Agent"), demoEndpoint(eightbyeightName, "Demo: 8x8 Contact Center")],
  };
  const path = fileURLToPath(import.meta.url);
  return checkConfiguration({ source: sourceOfValue("demo", value), path, options: { environment: {} } });
}

/** An endpoint and its connection have one name. */
function demoEndpoint(name: string, title: string) {
  return { token: name, title, access: "open", bot: { demo: {} }, handover: { connections: [name] } };
}

function pick<Key extends string>(source: Readonly<Record<Key, unknown>>, ...keys: readonly Key[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, source[key]]));
}

/** The webhook URLs name the port, so it is settled before anything is made. */
async function settlePort(port: number): Promise<number> {
  const probe = createTcpServer();
  return new Promise((settle, reject) => {
    probe.once("error", (error) => reject(toError(toListenError(error, { host: loopback, port }))));
    probe.listen(port, loopback, () => {
      const { port: settled } = probe.address() as AddressInfo;
      probe.close(() => settle(settled));
    });
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new HandoverError({ code: "ADDRESS_NOT_USABLE", message: "The port cannot be used." });
}

async function checkSimulators(simulators: Simulators): Promise<void> {
  const answer = await fetch(`${simulators.url}/control/live-agent/conversations`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  if (answer?.ok) return;
  throw new Problem({ status: 503, code: "SIMULATORS_DOWN", detail: "The simulated contact centres do not answer. Start the demo again." });
}
