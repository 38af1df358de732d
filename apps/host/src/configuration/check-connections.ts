import {
  describeSettings,
  InvalidConfigError,
  parseConfig,
  ProviderNotRegisteredError,
  type HandoverProvider,
  type PluginRegistry,
} from "@handover/core";
import { rightPartsOf, type Checker } from "./checker.ts";
import { connectionSchema, type ConnectionFile } from "./configuration-schema.ts";
import type { ConnectionConfiguration, Overlays, SettingOrigin } from "./host-configuration.ts";
import { pathText, type Path } from "./problem.ts";
import { isSampleSecret } from "./sample-secrets.ts";

/** A connection as it stands in the file: in the list, or inline at an endpoint. */
export interface DeclaredConnection {
  readonly name: string;
  readonly path: Path;
  readonly file: ConnectionFile;
}

/** Checks the list of connections; the shape of inline ones was checked with their endpoint. */
export function readConnections(value: unknown, checker: Checker): DeclaredConnection[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, raw]) => {
    const path = ["connections", name];
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      checker.add("INVALID_CONFIG", path, "the name of a connection must be 1 to 64 letters, digits, dashes and underscores");
    }
    const file = checker.read(connectionSchema, raw, path) ?? { settings: {}, ...rightPartsOf(connectionSchema, raw) };
    return hasProvider(file) ? [{ name, path, file }] : [];
  });
}

function hasProvider(file: Partial<ConnectionFile>): file is ConnectionFile {
  return file.provider !== undefined;
}

/** Checks provider and settings of each connection. What is returned has no problem. */
export function checkConnections(
  declared: readonly DeclaredConnection[],
  context: {
    readonly registry: PluginRegistry;
    readonly failedPlugins: readonly string[];
    readonly overlays: Overlays;
    /** Connections whose settings cannot be complete now. */
    readonly incomplete: readonly string[];
    readonly checker: Checker;
  },
): ConnectionConfiguration[] {
  return declared.flatMap((connection) => {
    const provider = findProvider(connection, context);
    if (!provider) return [];
    const overlay = context.overlays[connection.name] ?? {};
    const settings = { ...overlay, ...connection.file.settings };
    const hasOverlay = connection.name in context.overlays;
    const isChecked = !context.incomplete.includes(connection.name);
    if (isChecked && !checkSettings(connection, { provider, settings, hasOverlay, checker: context.checker })) return [];
    const { provider: _provider, settings: _settings, options, webhookSecrets, rateLimit } = connection.file;
    return [
      {
        name: connection.name,
        provider: provider.name,
        settings,
        ...(options ? { options } : {}),
        ...(webhookSecrets ? { webhookSecrets } : {}),
        ...(rateLimit ? { rateLimit: { calls: rateLimit.calls, perMs: rateLimit.perSeconds * 1000 } } : {}),
        origins: findOrigins(connection, { provider, settings, checker: context.checker }),
      },
    ];
  });
}

function findProvider(
  connection: DeclaredConnection,
  context: { readonly registry: PluginRegistry; readonly failedPlugins: readonly string[]; readonly checker: Checker },
): HandoverProvider | undefined {
  const name = connection.file.provider;
  try {
    return context.registry.get(name);
  } catch (error) {
    if (!ProviderNotRegisteredError.isInstance(error)) throw error;
    // A plugin that could not be loaded is a problem of its own; that its provider is missing follows from it.
    if (context.failedPlugins.some((plugin) => plugin.includes(name))) return undefined;
    context.checker.add(error.code, [...connection.path, "provider"], error.message);
    return undefined;
  }
}

function checkSettings(
  connection: DeclaredConnection,
  context: { provider: HandoverProvider; settings: Readonly<Record<string, unknown>>; hasOverlay: boolean; checker: Checker },
): boolean {
  const { provider, checker } = context;
  const before = checker.count();
  const path = [...connection.path, "settings"];
  try {
    parseConfig(provider.settings, context.settings, `connection "${connection.name}" (${provider.name})`);
  } catch (error) {
    if (!InvalidConfigError.isInstance(error)) throw error;
    const canBeMade = provider.provisioning !== undefined && !context.hasOverlay;
    for (const issue of error.issues) {
      const cure = canBeMade && issue.message.startsWith("is missing") ? `, or make it: handover provision ${connection.name}` : "";
      checker.add("INVALID_CONFIG", [...path, ...issue.path], `${issue.message}${cure}`);
    }
  }
  for (const key of secretSettings(provider)) {
    const value = context.settings[key];
    if (typeof value !== "string" || !isSampleSecret(value)) continue;
    checker.add("SAMPLE_SECRET", [...path, key], "is a sample value that everybody knows. Put the real one in");
  }
  return checker.count() === before && !checker.isIncompleteBelow(path);
}

/** The settings that the provider marks as secret. */
function secretSettings(provider: HandoverProvider): string[] {
  const properties = (describeSettings(provider).settings["properties"] ?? {}) as Record<string, { secret?: boolean }>;
  return Object.keys(properties).filter((key) => properties[key]?.secret === true);
}

function findOrigins(
  connection: DeclaredConnection,
  context: { provider: HandoverProvider; settings: Readonly<Record<string, unknown>>; checker: Checker },
): SettingOrigin[] {
  const secrets = secretSettings(context.provider);
  return Object.entries(context.settings).map(([setting, value]) => {
    const variables = context.checker.source.variablesAt([...connection.path, "settings", setting]);
    const from = !(setting in connection.file.settings) ? "provisioned" : variables.length > 0 ? "environment" : "file";
    const isHidden = secrets.includes(setting) || from === "environment";
    return { setting: pathText([setting]), from, variables, ...(isHidden ? {} : { value: JSON.stringify(value) }) };
  });
}
