import { describeSettings, HandoverError, parseConfig, type HandoverProvider } from "@handover/core";
import { interpolate } from "../configuration/interpolate.ts";
import type { HostConfiguration } from "../configuration/host-configuration.ts";
import { createHostStore } from "../host-store.ts";
import { createConsoleLogger } from "../logger.ts";
import { runProvisioning } from "../provisioning/run-provisioning.ts";
import { UsageError } from "./arguments.ts";
import type { Command, CommandContext } from "./command.ts";
import { findRunningHost } from "./ask-host.ts";
import { demoDoesNotRun, findTarget } from "./find-configuration.ts";

export const provision: Command = {
  name: "provision",
  summary: "sets up what a connection needs at its contact centre",
  help: `Usage: handover provision <connection> [--config <file>] [--input <key>=<value> ...] [--json]

Runs the set-up of the connection's provider, once at a time; a run that was interrupted goes on where it stopped. What it makes
is kept in the store and becomes the connection's settings where the configuration file has none of its own. With SQLite, stop the
host first; hosts on PostgreSQL take the settings over when they are started again.

  --config <file>        default: handover.yaml in this folder
  --input <key>=<value>  what the provider asks for; $\{NAME} takes a value from the environment, so that secrets stay out of
                         the command line
  --json                 one JSON document instead of lines

Exit code: 0 done, 1 it failed, 2 the command line is wrong.`,
  flags: [
    { name: "config", type: "string" },
    { name: "input", type: "string", isRepeatable: true },
    { name: "json", type: "boolean" },
  ],
  positionalCount: 1,
  async run(given, context) {
    const name = given.positionals[0];
    if (name === undefined) throw new UsageError("Name the connection: handover provision <connection>.");
    const target = await findTarget(given.text("config"), context, { isBeforeProvisioning: true });
    if (target.kind === "demo") throw (await findRunningHost(target.store)) ? demoNeedsNothing() : demoDoesNotRun();
    const provider = findProvider(target.configuration, name);
    const input = readInput(given.texts("input"), provider, context);
    const store = createHostStore(target.configuration.store);
    await store.open();
    try {
      const made = await runProvisioning({
        connection: name,
        provider,
        input,
        store,
        configuration: target.configuration,
        logger: createConsoleLogger(context.printError),
      });
      printResult(name, made, { isJson: given.has("json"), print: context.print });
      return 0;
    } finally {
      await store.close();
    }
  },
};

type ProvisioningProvider = HandoverProvider & Required<Pick<HandoverProvider, "provisioning">>;

function findProvider(configuration: HostConfiguration, name: string): ProvisioningProvider {
  const connection = configuration.connections.find((candidate) => candidate.name === name);
  if (!connection) {
    const known = configuration.connections.map((candidate) => candidate.name).join(", ") || "none";
    throw new HandoverError({ code: "CONNECTION_NOT_FOUND", message: `There is no connection "${name}". Configured: ${known}.` });
  }
  const provider = configuration.providers.find((candidate) => candidate.name === connection.provider);
  if (provider?.provisioning) return provider as ProvisioningProvider;
  const message = `Provider "${connection.provider}" has nothing to provision. Write the settings of "${name}" into the configuration.`;
  throw new HandoverError({ code: "NO_PROVISIONING", message });
}

/** `key=value` pairs; a value is read as JSON where the provider wants something else than a text. */
function readInput(pairs: readonly string[], provider: ProvisioningProvider, context: CommandContext): unknown {
  const { properties } = (describeSettings(provider).provisioning ?? {}) as { properties?: Record<string, { type?: unknown }> };
  const input: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError("--input wants <key>=<value>.");
    const key = pair.slice(0, at);
    const { text, problems } = interpolate(pair.slice(at + 1), context.environment);
    if (problems[0] !== undefined) throw new UsageError(`--input ${key} ${problems[0]}.`);
    input[key] = properties?.[key]?.type === "string" ? text : readJson(text);
  }
  return parseConfig(provider.provisioning.input, input, `The input for ${provider.name}`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function printResult(
  connection: string,
  made: { readonly settings: readonly string[]; readonly notes: readonly string[] },
  output: { readonly isJson: boolean; readonly print: (line: string) => void },
): void {
  if (output.isJson) {
    output.print(JSON.stringify({ connection, ...made }, null, 2));
    return;
  }
  output.print(`${connection}: provisioned`);
  for (const note of made.notes) output.print(`  note     ${note}`);
  for (const setting of made.settings) output.print(`  setting  ${setting} = ********`);
}

function demoNeedsNothing(): HandoverError {
  const message = "The demo is set up already. To provision a connection of your own, name its configuration: --config <file>.";
  return new HandoverError({ code: "NO_PROVISIONING", message });
}
