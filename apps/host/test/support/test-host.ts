import { join } from "node:path";
import type { Logger } from "@handover/core";
import { startSimulators, type LiveAgentSimulator, type LiveAgentSimulatorOptions } from "@handover/simulators";
import type { HandoverRuntime } from "@handover/runtime";
import type { HostConfiguration } from "../../src/configuration/host-configuration.ts";
import { checkConfiguration } from "../../src/configuration/load-configuration.ts";
import { sourceOfValue } from "../../src/configuration/yaml-source.ts";
import { startHost, type HostOptions } from "../../src/host.ts";
import { createConsoleLogger } from "../../src/logger.ts";
import { expectDocumented } from "../../../../packages/live-agent/test/request-schemas.ts";
import { createFolder, marked } from "./test-configuration.ts";

/** A host with a simulated contact centre, as people start it, on free ports. */
export interface TestHost {
  readonly url: string;
  readonly configuration: HostConfiguration;
  readonly runtime: HandoverRuntime;
  readonly desk: LiveAgentSimulator;
  readonly logLines: readonly string[];
  /** The URL of a conversation, its id encoded. */
  conversation(id: string, endpoint?: string): string;
  stop(): Promise<void>;
}

export interface TestHostOptions {
  /** Laid over the whole configuration. */
  readonly root?: object;
  /** Endpoints instead of one open endpoint `support` with the demo bot and the desk. */
  readonly endpoints?: readonly object[];
  readonly host?: Omit<HostOptions, "logger">;
  /** Defaults of the options of every handover through the desk. */
  readonly optionsOfDesk?: object | undefined;
  /** Laid over the set-up of the simulated contact centre. */
  readonly liveAgent?: LiveAgentSimulatorOptions;
  /** Gets what the host logs, beside `logLines`. */
  readonly logger?: Logger;
}

export async function startTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const folder = createFolder();
  const simulators = await startSimulators({ liveAgent: { apiKey: marked.apiKey, ...options.liveAgent } });
  const { baseUrl, accountId, inboxId } = simulators.liveAgent;
  const value = {
    plugins: ["live-agent"],
    publicUrl: "http://127.0.0.1:1",
    listen: { port: 0 },
    store: { sqlite: join(folder.path, "handover.db") },
    connections: {
      desk: {
        provider: "live-agent",
        settings: { baseUrl, accountId, inboxId, apiKey: marked.apiKey },
        webhookSecrets: [marked.webhookSecret],
        ...(options.optionsOfDesk ? { options: options.optionsOfDesk } : {}),
      },
    },
    endpoints: options.endpoints ?? [supportEndpoint],
    ...options.root,
  };
  const logLines: string[] = [];
  const configuration = await checkConfiguration({
    source: sourceOfValue("test", value),
    path: join(folder.path, "handover.yaml"),
    options: { environment: {} },
  });
  const logger = both(
    createConsoleLogger((line) => logLines.push(line)),
    options.logger,
  );
  const host = await startHost(configuration, { ...options.host, logger });
  simulators.liveAgent.setWebhookUrl(`${host.url}/handover/live-agent/desk/${marked.webhookSecret}`);
  return {
    url: host.url,
    configuration,
    runtime: host.runtime,
    desk: simulators.liveAgent,
    logLines,
    conversation: (id, endpoint = "support") => `${host.url}/endpoints/${endpoint}/conversations/${encodeURIComponent(id)}`,
    async stop() {
      await host.stop();
      const requests = simulators.liveAgent.requests();
      await simulators.close();
      folder.remove();
      expectDocumented(requests);
    },
  };
}

function both(first: Logger, second: Logger | undefined): Logger {
  if (!second) return first;
  const call = (level: keyof Logger): Logger["info"] => {
    return (message, fields) => {
      first[level](message, fields);
      second[level](message, fields);
    };
  };
  return { debug: call("debug"), info: call("info"), warn: call("warn"), error: call("error") };
}

export const supportEndpoint = {
  token: "support",
  title: "Support",
  access: "open",
  allowedOrigins: ["https://www.example.com"],
  bot: { demo: {} },
  handover: { connections: ["desk"] },
  channelOptions: ["priority"],
};

/** Sends JSON and reads the answer, whatever it is. */
export async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Record<string, unknown> }> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  return { status: response.status, headers: response.headers, text, json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}
