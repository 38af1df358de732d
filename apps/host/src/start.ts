import type { ConnectionSummary } from "@handover/runtime";
import { readArguments, UsageError } from "./commands/arguments.ts";
import { describeError } from "./commands/run-command.ts";
import type { HostConfiguration } from "./configuration/host-configuration.ts";
import { loadConfiguration } from "./configuration/load-configuration.ts";
import { startDemo } from "./demo.ts";
import { startHost, type Host } from "./host.ts";
import { describeStore } from "./host-store.ts";
import { readOverlays } from "./provisioning/overlays.ts";

const help = `Usage: npm start [-- --config <file>]

Without a configuration: the demo. A chat, a demo bot, and simulated contact centres with an agent desk, all on this machine.
With one: the host alone.

  --config <file>           configuration of the host (YAML)
  --help                    this text

  HANDOVER_PORT             port of the host, default 4000
  HANDOVER_SIMULATORS_PORT  port of the simulated contact centres, default 4100
  HANDOVER_DATA             folder of the data, default ./data`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

interface Running {
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

await main();

async function main(): Promise<void> {
  try {
    const given = readArguments(process.argv.slice(2), [{ name: "config", type: "string" }], 0);
    if (given.has("help")) {
      say(help);
      return;
    }
    const file = given.text("config");
    const running = file === undefined ? await runDemo() : await runConfigured(file);
    stopOnSignals(running);
    for (const line of running.lines) say(line);
  } catch (error) {
    process.stderr.write(`${error instanceof UsageError ? `${error.message} See: npm start -- --help` : describeError(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

async function runDemo(): Promise<Running> {
  const demo = await startDemo(process.env, say);
  const lines = [
    ...describe(demo.host, demo.configuration, [["Agent desk", demo.deskUrl]]),
    "",
    'Write "agent" in the chat, then answer at the agent desk. Stop with Ctrl-C.',
  ];
  return { lines, stop: demo.stop };
}

async function runConfigured(file: string): Promise<Running> {
  say(`Reading ${file} ...`);
  const configuration = await loadConfiguration(file, { environment: process.env, readOverlays });
  say("Starting the host ...");
  const host = await startHost(configuration);
  return { lines: [...describe(host, configuration, []), "", "Stop with Ctrl-C."], stop: host.stop };
}

function describe(host: Host, configuration: HostConfiguration, more: readonly (readonly [string, string])[]): string[] {
  const rows = [
    ...configuration.endpoints.map(({ token }) => ["Chat", `${host.url}/chat/${token}`] as const),
    ...more,
    ["Health", `${host.url}/healthz`] as const,
    ...host.runtime.connections().flatMap(describeWebhook),
    ...(configuration.publicUrl === undefined && configuration.connections.length > 0
      ? [["Webhooks", "none: without publicUrl in the configuration no contact centre can reach this host"] as const]
      : []),
    ["Data", describeStore(configuration.store)] as const,
  ];
  return ["", "Handover is running.", "", ...rows.map(([name, value]) => `  ${name.padEnd(12)} ${value}`)];
}

/** The URL without its last part, which is the secret. */
function describeWebhook({ webhookUrl }: ConnectionSummary): (readonly [string, string])[] {
  if (webhookUrl === undefined) return [];
  return [["Webhook", `${webhookUrl.slice(0, webhookUrl.lastIndexOf("/"))}/********  (whole: npx handover check --webhooks)`]];
}

function stopOnSignals(running: Running): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(130);
    isStopping = true;
    say("Stopping ... (again: at once)");
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${describeError(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
