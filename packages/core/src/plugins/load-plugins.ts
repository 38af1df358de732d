import { statSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PluginLoadingError, type PluginProblem, type PluginProblemCode } from "../errors/plugin-errors.ts";
import type { HandoverProvider } from "../provider.ts";
import { createPluginRegistry, type LoadedPlugin, type PluginRegistry } from "./plugin-registry.ts";
import { isProviderLike, missingProviderMembers, supportedSpecificationVersions } from "./provider-shape.ts";

/** An entry of the plugin list: a short name, a package name, a path, or the provider itself. */
export type PluginEntry = string | HandoverProvider;

/** What to load, and from where. */
export interface LoadPluginsOptions {
  readonly plugins: readonly PluginEntry[];
  /** The configuration file (or a folder); names and relative paths are resolved from there first. */
  readonly from: string;
  /** A file of the host's own installation (`import.meta.url` or a path), tried after `from`. */
  readonly hostFile?: string;
}

/**
 * Loads the operator's plugins, once, at boot. A short name (`live-agent`) means `@handover/<name>`, then
 * `handover-provider-<name>`; a path is relative to the configuration; anything else, `handover-provider-x` too, is the exact
 * package.
 *
 * @throws PluginLoadingError with every problem: not found, found but throwing, not a provider, another specification
 * version, a name that is already taken
 */
export async function loadPlugins(options: LoadPluginsOptions): Promise<PluginRegistry> {
  const loaded: LoadedPlugin[] = [];
  const problems: PluginProblem[] = [];
  for (const entry of options.plugins) {
    const outcome = await loadOne(entry, options);
    if ("code" in outcome) problems.push(outcome);
    else loaded.push(outcome);
  }
  problems.push(...findDuplicates(loaded));
  if (problems.length > 0) throw new PluginLoadingError(problems);
  return createPluginRegistry(loaded);
}

async function loadOne(entry: PluginEntry, options: LoadPluginsOptions): Promise<LoadedPlugin | PluginProblem> {
  if (typeof entry !== "string") return checkProvider({ value: entry, plugin: "(object)" });
  if (entry.trim() === "" || (isBuiltin(entry) && !isShortName(entry))) return notAPlugin(entry);
  const found = findFile(entry, options);
  if ("code" in found) return found;
  try {
    const module = (await import(pathToFileURL(found.file).href)) as Record<string, unknown>;
    return checkProvider({ value: module["default"], plugin: entry, file: found.file, exportNames: Object.keys(module) });
  } catch (cause) {
    return problem("PLUGIN_LOAD_FAILED", entry, {
      message: `Plugin "${entry}" was found at ${found.file} but threw while loading: ${describe(cause)}. ${cureOf(cause)}`,
      cause,
    });
  }
}

function notAPlugin(entry: string): PluginProblem {
  return problem("PLUGIN_INVALID", entry, {
    message: `"${entry}" in "plugins" is no plugin. Name a package (live-agent, @acme/handover-provider-x) or a file (./my-provider.js), or remove it.`,
  });
}

function findFile(entry: string, options: LoadPluginsOptions): { file: string } | PluginProblem {
  const bases = [options.from, ...(options.hostFile ? [options.hostFile] : [])].map(toPath);
  if (isPathEntry(entry)) return findPath(entry, bases[0] ?? ".");
  const specifiers = isShortName(entry) ? [`@handover/${entry}`, `handover-provider-${entry}`] : [entry];
  for (const base of bases) {
    for (const specifier of specifiers) {
      const outcome = resolvePackage(specifier, base, entry);
      if (outcome) return outcome;
    }
  }
  const install = specifiers.map((specifier) => `npm install ${specifier}`).join("  or  ");
  const hint = /^[^@].*[\\/]|\.[cm]?[jt]s$/.test(entry) ? `  or, if it is a file, write "./${entry}"` : "";
  return problem("PLUGIN_NOT_FOUND", entry, {
    message: `Plugin "${entry}" is not installed. Tried ${specifiers.join(", ")} from ${bases.join(" and ")}. Install it: ${install}${hint}`,
  });
}

function findPath(entry: string, base: string): { file: string } | PluginProblem {
  const file = toFile(entry, base);
  if (file && kindOf(file) === "file") return { file };
  const tried = file ? ` Tried ${file}${kindOf(file) === "folder" ? ", which is a folder" : ""}.` : "";
  return problem("PLUGIN_NOT_FOUND", entry, {
    message: `Plugin file "${entry}" does not exist.${tried} Write the path of the file with its ending, relative to the configuration file: "./my-provider.js".`,
  });
}

/** Nothing for a URL that names no local file. */
function toFile(entry: string, base: string): string | undefined {
  const folder = isFolder(base) ? base : dirname(base);
  if (!entry.startsWith("file:")) return resolve(folder, entry);
  try {
    return fileURLToPath(new URL(entry, pathToFileURL(`${folder}/`)));
  } catch {
    return undefined;
  }
}

function resolvePackage(specifier: string, base: string, entry: string): { file: string } | PluginProblem | undefined {
  try {
    return { file: createRequire(isFolder(base) ? `${base}/` : base).resolve(specifier) };
  } catch (cause) {
    if (isNotFound(cause, specifier)) return undefined;
    return problem("PLUGIN_LOAD_FAILED", entry, {
      message: `Package "${specifier}" is installed but cannot be resolved: ${describe(cause)}. Its package.json needs "exports" with a "default" condition and the files it names.`,
      cause,
    });
  }
}

function isNotFound(cause: unknown, specifier: string): boolean {
  const error = cause as { code?: string; message?: string };
  return error.code === "MODULE_NOT_FOUND" && Boolean(error.message?.includes(`'${specifier}'`));
}

function checkProvider(candidate: {
  readonly value: unknown;
  readonly plugin: string;
  readonly file?: string;
  readonly exportNames?: readonly string[];
}): LoadedPlugin | PluginProblem {
  const { value, plugin, file } = candidate;
  const where = file ? ` (${file})` : "";
  if (isProviderLike(value) && !supportedSpecificationVersions.includes(value.specificationVersion)) {
    return problem("PLUGIN_INCOMPATIBLE", plugin, {
      message: `Plugin "${plugin}"${where} implements specification ${value.specificationVersion}, this host knows ${supportedSpecificationVersions.join(", ")}. Upgrade the host, or install a release of the plugin for ${supportedSpecificationVersions.join(" or ")}.`,
    });
  }
  const missing = missingProviderMembers(value);
  if (isProviderLike(value) && missing.length === 0) {
    return { provider: value as HandoverProvider, plugin, ...(file ? { file } : {}) };
  }
  return problem("PLUGIN_INVALID", plugin, {
    message: `Plugin "${plugin}"${where} has no default export that is a HandoverProvider; missing or wrong: ${missing.join(", ")}.${listExports(candidate.exportNames)} Name the package of a provider, or remove it from "plugins".`,
  });
}

function listExports(names: readonly string[] | undefined): string {
  if (!names) return "";
  const shown = names.slice(0, 8).join(", ") || "none";
  return ` Its exports: ${shown}${names.length > 8 ? ` and ${names.length - 8} more` : ""}.`;
}

function findDuplicates(loaded: readonly LoadedPlugin[]): PluginProblem[] {
  const first = new Map<string, LoadedPlugin>();
  const problems: PluginProblem[] = [];
  for (const plugin of loaded) {
    const earlier = first.get(plugin.provider.name);
    if (!earlier) first.set(plugin.provider.name, plugin);
    else
      problems.push(
        problem("PLUGIN_DUPLICATE", plugin.plugin, {
          message: `Provider "${plugin.provider.name}" comes from two plugins: ${earlier.file ?? earlier.plugin} and ${plugin.file ?? plugin.plugin}. Remove one of them from "plugins".`,
        }),
      );
  }
  return problems;
}

function problem(code: PluginProblemCode, plugin: string, rest: { message: string; cause?: unknown }): PluginProblem {
  return { code, plugin, ...rest };
}

function isPathEntry(entry: string): boolean {
  return entry.startsWith("./") || entry.startsWith("../") || entry.startsWith("file:") || isAbsolute(entry);
}

function isShortName(entry: string): boolean {
  return /^[a-z0-9-]+$/.test(entry) && !entry.startsWith("handover-provider-");
}

function toPath(location: string): string {
  return location.startsWith("file:") ? fileURLToPath(location) : resolve(location);
}

/** What does not exist yet counts as a file: the configuration was read from somewhere else then. */
function isFolder(path: string): boolean {
  return kindOf(path) === "folder";
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

/** The command that helps: a package that the plugin needs can be installed, everything else is the plugin's own fault. */
function cureOf(cause: unknown): string {
  const message = String((cause as { message?: unknown } | null | undefined)?.message);
  const needed = /Cannot find (?:package|module) '(?![a-z]+:)((?:@[\w.-]+\/)?[a-z\d][\w.-]*)[^']*'/i.exec(message)?.[1];
  return needed ? `Install what it needs: npm install ${needed}` : "Fix the plugin, or install another release of it.";
}

function describe(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\n.*/s, "");
}
