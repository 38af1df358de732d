import { readFile } from "node:fs/promises";
import { basename, relative, resolve } from "node:path";
import { createPluginRegistry, loadPlugins, PluginLoadingError, type PluginRegistry } from "@handover/core";
import { checkConnections, readConnections, type DeclaredConnection } from "./check-connections.ts";
import { checkConnectionNames, checkOpenAccess, inlineConnections, readEndpoints, toEndpoint } from "./check-endpoints.ts";
import { attachmentsSchema } from "./attachments-schema.ts";
import { createChecker, type Checker } from "./checker.ts";
import { checkOptions } from "./check-options.ts";
import { limitsSchema, listenSchema, rootSchema, type RootFile } from "./configuration-schema.ts";
import { checkLease, readStore } from "./check-store.ts";
import type { HostConfiguration, Overlays, StoreConfiguration } from "./host-configuration.ts";
import type { Environment } from "./interpolate.ts";
import { isLoopbackHost } from "./network.ts";
import { byPosition, ConfigurationError, type ConfigurationProblem } from "./problem.ts";
import { readYaml, type ConfigurationSource } from "./yaml-source.ts";

const largestFileBytes = 1_048_576;

export interface LoadOptions {
  readonly environment: Environment;
  /** Reads what provisioning made. Asked only when one of the connections can be provisioned. */
  readonly readOverlays?: (request: {
    readonly store: StoreConfiguration;
    readonly connections: readonly string[];
  }) => Promise<Overlays | "unknown">;
  /** Settings that can be provisioned need not be there yet. */
  readonly isBeforeProvisioning?: boolean;
}

/** Reads a configuration file. @throws ConfigurationError with every problem there is */
export async function loadConfiguration(file: string, options: LoadOptions): Promise<HostConfiguration> {
  const path = resolve(file);
  const name = displayName(path);
  const text = await readText(path, name);
  const { source, problems } = readYaml(text, { file: name, environment: options.environment });
  if (source.value === undefined && problems.length > 0) throw new ConfigurationError(problems);
  return checkConfiguration({ source, path, problems, options });
}

/** Checks a configuration that was read. `path` is where names and relative paths start from. */
export async function checkConfiguration(request: {
  readonly source: ConfigurationSource;
  readonly path: string;
  readonly problems?: readonly ConfigurationProblem[];
  readonly options: LoadOptions;
}): Promise<HostConfiguration> {
  const { source, path, options } = request;
  const checker = createChecker(source, request.problems ?? []);
  const value = (source.value ?? {}) as Readonly<Record<string, unknown>>;
  const root = checker.read(rootSchema, value, []);
  const { registry, failedPlugins, cause } = await loadAll(value["plugins"], path, checker);

  const named = readConnections(value["connections"], checker);
  const endpoints = readEndpoints(value["endpoints"], checker);
  const namesInFile = Object.keys(value["connections"] ?? {});
  const declared = [...named, ...inlineConnections(endpoints, namesInFile, checker)];
  checkConnectionNames(endpoints, [...namesInFile, ...declared.map(({ name }) => name)], checker);
  const findProvider = (provider: string) => (registry.has(provider) ? registry.get(provider) : undefined);
  checkOptions(endpoints, { connections: declared, findProvider, checker });
  checkOpenAccess(endpoints, { host: hostOf(value), allowOpenAccess: value["allowOpenAccess"] === true, checker });

  const store = readStore(value["store"], { path, environment: options.environment, checker });
  checkLease(store, root?.timing, checker);
  const canBeProvisioned = declared.filter(({ file }) => findProvider(file.provider)?.provisioning);
  const overlays = await findOverlays(canBeProvisioned, store, options);
  const isIncompleteFine = overlays === "unknown" || options.isBeforeProvisioning === true;
  const incomplete = isIncompleteFine ? canBeProvisioned.map(({ name }) => name) : [];
  const known = overlays === "unknown" ? {} : overlays;
  const connections = checkConnections(declared, { registry, failedPlugins, overlays: known, incomplete, checker });

  if (checker.problems.length > 0 || !root || !store) throw new ConfigurationError([...checker.problems].sort(byPosition), cause);
  return {
    ...rootSettings(root, options.environment),
    file: source.file,
    store,
    providers: registry.plugins.map(({ provider }) => provider),
    connections,
    endpoints: endpoints.map(toEndpoint),
  };
}

async function readText(path: string, name: string): Promise<string> {
  const fail = (message: string) => new ConfigurationError([{ code: "FILE_NOT_READABLE", file: name, path: "", message }]);
  const content = await readFile(path).catch((error: unknown) => {
    const { code } = error as { code?: string };
    if (code === "ENOENT") throw fail("does not exist. Create it, or name another one with --config <file>");
    if (code === "EISDIR") throw fail("is a folder. Name the file in it: --config <folder>/handover.yaml");
    throw fail(`cannot be read (${code ?? "unknown"}). Check its permissions`);
  });
  if (content.length > largestFileBytes) throw fail("is larger than 1 MiB. This is no configuration of Handover");
  return content.toString("utf8");
}

function displayName(path: string): string {
  const name = relative(process.cwd(), path);
  return name === "" || name.startsWith("..") ? basename(path) : name;
}

async function loadAll(
  value: unknown,
  path: string,
  checker: Checker,
): Promise<{ readonly registry: PluginRegistry; readonly failedPlugins: readonly string[]; readonly cause?: unknown }> {
  const plugins = Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
  const load = (entries: readonly string[]) => loadPlugins({ plugins: entries, from: path, hostFile: import.meta.url });
  try {
    return { registry: await load(plugins), failedPlugins: [] };
  } catch (error) {
    if (!PluginLoadingError.isInstance(error)) throw error;
    for (const problem of error.problems) checker.add(problem.code, ["plugins", plugins.lastIndexOf(problem.plugin)], problem.message);
    const failedPlugins = error.problems.map(({ plugin }) => plugin);
    // Those that do load are needed to find the other problems.
    const registry = await load(plugins.filter((plugin) => !failedPlugins.includes(plugin))).catch(() => createPluginRegistry([]));
    return { registry, failedPlugins, cause: error };
  }
}

function hostOf(value: Readonly<Record<string, unknown>>): string {
  const host = (value["listen"] as { host?: unknown } | null | undefined)?.host;
  return typeof host === "string" ? host : "127.0.0.1";
}

async function findOverlays(
  connections: readonly DeclaredConnection[],
  store: StoreConfiguration | undefined,
  { readOverlays }: LoadOptions,
): Promise<Overlays | "unknown"> {
  if (connections.length === 0 || !readOverlays) return {};
  return store ? readOverlays({ store, connections: connections.map(({ name }) => name) }) : "unknown";
}

function localUrl({ host, port }: { readonly host: string; readonly port: number }): string | undefined {
  if (!isLoopbackHost(host) || port === 0) return undefined;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function rootSettings(root: RootFile, environment: Environment) {
  const given = root.listen ?? listenSchema.parse({});
  const listen = { ...given, port: given.port ?? readPort(environment["HANDOVER_PORT"], "HANDOVER_PORT") ?? 4000 };
  // Without a public URL a contact centre on the same machine still reaches the host, when its port is known beforehand.
  const publicUrl = root.publicUrl?.replace(/\/+$/, "") ?? localUrl(listen);
  return {
    listen,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    limits: root.limits ?? limitsSchema.parse({}),
    timing: root.timing ?? {},
    attachments: root.attachments ?? attachmentsSchema.parse({}),
    ...(root.metrics ? { metricsToken: root.metrics.token } : {}),
    ...(root.operator ? { operatorToken: root.operator.token } : {}),
  };
}

/** A port out of the environment. */
export function readPort(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  const message = `The environment variable ${name} must be a port, a whole number from 0 to 65535`;
  throw new ConfigurationError([{ code: "INVALID_CONFIG", file: "environment", path: name, message }]);
}
