import { didYouMean } from "../did-you-mean.ts";
import { ProviderNotRegisteredError } from "../errors/plugin-errors.ts";
import type { HandoverProvider } from "../provider.ts";

/** A provider that was loaded, and where it came from. */
export interface LoadedPlugin {
  readonly provider: HandoverProvider;
  /** What the operator wrote: a name, a path, or `(object)`. */
  readonly plugin: string;
  /** File it was loaded from; absent for objects. */
  readonly file?: string;
}

/** The loaded providers by name. Selecting one never imports anything. */
export interface PluginRegistry {
  readonly names: readonly string[];
  readonly plugins: readonly LoadedPlugin[];
  /** @throws ProviderNotRegisteredError that names the loaded ones and the nearest */
  get(name: string): HandoverProvider;
  has(name: string): boolean;
}

/** Makes a registry of plugins whose names are known to be unique. */
export function createPluginRegistry(plugins: readonly LoadedPlugin[]): PluginRegistry {
  const byName = new Map(plugins.map((plugin) => [plugin.provider.name, plugin.provider]));
  const names = [...byName.keys()];
  return {
    names,
    plugins,
    has: (name) => byName.has(name),
    get(name) {
      const provider = byName.get(name);
      if (provider) return provider;
      const suggestion = didYouMean(name, names);
      throw new ProviderNotRegisteredError({ provider: name, registered: names, ...(suggestion ? { suggestion } : {}) });
    },
  };
}
