import { existsSync } from "node:fs";
import { HandoverError } from "@handover/core";
import { loadConfiguration, type LoadOptions } from "../configuration/load-configuration.ts";
import type { HostConfiguration, StoreConfiguration } from "../configuration/host-configuration.ts";
import { demoStorePath } from "../demo.ts";
import type { CommandContext } from "./command.ts";

const defaultFile = "handover.yaml";

/** The configuration a command is about: a file, or the demo that `npm start` runs. */
export type Target =
  { readonly kind: "file"; readonly configuration: HostConfiguration } | { readonly kind: "demo"; readonly store: StoreConfiguration };

/** `--config`, else `handover.yaml` in this folder, else the demo. @throws ConfigurationError with all problems */
export async function findTarget(
  file: string | undefined,
  context: CommandContext,
  options: Omit<LoadOptions, "environment">,
): Promise<Target> {
  if (file === undefined && !existsSync(defaultFile)) {
    return { kind: "demo", store: { kind: "sqlite", path: demoStorePath(context.environment) } };
  }
  return { kind: "file", configuration: await loadConfiguration(file ?? defaultFile, { ...options, environment: context.environment }) };
}

export function demoDoesNotRun(): HandoverError {
  const message = `There is no ${defaultFile} here, and the demo does not run. Start it (npm start), or name a configuration: --config <file>.`;
  return new HandoverError({ code: "NO_CONFIGURATION", message });
}
