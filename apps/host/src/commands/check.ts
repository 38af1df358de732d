import type { ConnectionReport, ConnectionSummary, HandoverRuntime } from "@handover/runtime";
import type { HostConfiguration, SettingOrigin, StoreConfiguration } from "../configuration/host-configuration.ts";
import { ConfigurationError, type ConfigurationProblem } from "../configuration/problem.ts";
import { createHostRuntime } from "../create-host-runtime.ts";
import { createHostStore, describeStore } from "../host-store.ts";
import { createConsoleLogger } from "../logger.ts";
import { readOverlays } from "../provisioning/overlays.ts";
import { findRunningHost, type RunningHost } from "./ask-host.ts";
import type { Command } from "./command.ts";
import { demoDoesNotRun, findTarget, type Target } from "./find-configuration.ts";
import { printReport, type CheckReport } from "./print-report.ts";

interface CheckRequest {
  readonly connection: string | undefined;
  readonly showWebhooks: boolean;
}

export const check: Command = {
  name: "check",
  summary: "checks the configuration and asks each connection whether it works",
  help: `Usage: handover check [--config <file>] [--connection <name>] [--webhooks] [--json]

Reads the configuration and names every problem with its line. Then each connection checks itself against its contact centre.
A host that runs on the same store is asked; otherwise the connections are checked from here.

  --config <file>      default: handover.yaml in this folder; without one, the demo that npm start runs
  --connection <name>  only this connection
  --webhooks           prints each webhook URL whole; it holds a secret
  --json               one JSON document instead of lines

Exit code: 0 all is well, 1 something is wrong, 2 the command line is wrong.`,
  flags: [
    { name: "config", type: "string" },
    { name: "connection", type: "string" },
    { name: "webhooks", type: "boolean" },
    { name: "json", type: "boolean" },
  ],
  positionalCount: 0,
  async run(given, context) {
    const request = { connection: given.text("connection"), showWebhooks: given.has("webhooks") };
    const print = (report: CheckReport) => printReport(report, { isJson: given.has("json"), print: context.print });
    try {
      const target = await findTarget(given.text("config"), context, { readOverlays });
      const report = await checkTarget(target, request);
      print(report);
      return report.isOk ? 0 : 1;
    } catch (error) {
      if (!(error instanceof ConfigurationError) || !given.has("json")) throw error;
      print(brokenConfiguration(error.problems));
      return 1;
    }
  },
};

function storeOf(target: Target): StoreConfiguration {
  return target.kind === "demo" ? target.store : target.configuration.store;
}

function brokenConfiguration(problems: readonly ConfigurationProblem[]): CheckReport {
  return { isOk: false, configuration: { file: problems[0]?.file ?? "", problems }, connections: [] };
}

async function checkTarget(target: Target, request: CheckRequest): Promise<CheckReport> {
  const running = await findRunningHost(storeOf(target));
  if (running) return askHost(running, target, request);
  if (target.kind === "demo") throw demoDoesNotRun();
  return withRestingRuntime(target.configuration, (runtime) => askHost(runtimeAsHost(runtime), target, request));
}

async function askHost(host: RunningHost, target: Target, request: CheckRequest): Promise<CheckReport> {
  const reports = await host.checkConnections(request.connection);
  const summaries = new Map((await host.connections()).map((summary) => [summary.name, summary]));
  const configuration = target.kind === "file" ? target.configuration : undefined;
  const isOk = reports.every(({ findings }) => findings.every(({ level }) => level !== "error"));
  return {
    isOk,
    configuration: { file: configuration?.file ?? "the demo", problems: [], store: describeStore(storeOf(target)) },
    connections: reports.map((report) => toLine(report, summaries.get(report.connection), { configuration, request })),
  };
}

function toLine(
  report: ConnectionReport,
  summary: ConnectionSummary | undefined,
  context: { readonly configuration: HostConfiguration | undefined; readonly request: CheckRequest },
) {
  const settings: readonly SettingOrigin[] =
    context.configuration?.connections.find(({ name }) => name === report.connection)?.origins ?? [];
  return { ...report, settings, ...(context.request.showWebhooks ? { webhookUrl: summary?.webhookUrl ?? null } : {}) };
}

function runtimeAsHost(runtime: HandoverRuntime): RunningHost {
  return { connections: async () => runtime.connections(), checkConnections: (name) => runtime.checkConnections(name) };
}

/** A check must not begin to deliver anything. */
async function withRestingRuntime<Result>(
  configuration: HostConfiguration,
  use: (runtime: HandoverRuntime) => Promise<Result>,
): Promise<Result> {
  const store = createHostStore(configuration.store);
  const logger = { ...createConsoleLogger(), info: () => undefined };
  const runtime = await createHostRuntime(configuration, { store, logger });
  await runtime.start({ delivers: false });
  try {
    return await use(runtime);
  } finally {
    await runtime.stop();
  }
}
