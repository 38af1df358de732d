import { HandoverError, hasMarker } from "./handover-error.ts";

/** What can be wrong with one entry of the plugin list. */
export type PluginProblemCode = "PLUGIN_NOT_FOUND" | "PLUGIN_LOAD_FAILED" | "PLUGIN_INVALID" | "PLUGIN_INCOMPATIBLE" | "PLUGIN_DUPLICATE";

/** One entry of the plugin list that cannot be used. */
export interface PluginProblem {
  readonly code: PluginProblemCode;
  /** The entry as the operator wrote it. */
  readonly plugin: string;
  /** What was tried, and the command or change that helps. */
  readonly message: string;
  readonly cause?: unknown;
}

const loadingMarker = Symbol.for("handover.error.plugin-loading");

/** Plugins that could not be loaded, all of them at once. The host does not start. Code `PLUGIN_LOADING_FAILED`. */
export class PluginLoadingError extends HandoverError {
  readonly problems: readonly PluginProblem[];
  readonly [loadingMarker] = true;

  constructor(problems: readonly PluginProblem[]) {
    super({
      code: "PLUGIN_LOADING_FAILED",
      message: `${problems.length === 1 ? "A plugin" : `${problems.length} plugins`} could not be loaded:\n${problems
        .map((problem) => `  [${problem.code}] ${problem.message}`)
        .join("\n")}`,
      effect: "connection",
      cause: problems.find((problem) => problem.cause !== undefined)?.cause,
    });
    this.problems = problems;
  }

  static override isInstance(value: unknown): value is PluginLoadingError {
    return hasMarker(value, loadingMarker);
  }
}

const notRegisteredMarker = Symbol.for("handover.error.provider-not-registered");

/** A configuration names a provider that is not among the loaded plugins. Code `PROVIDER_NOT_REGISTERED`. */
export class ProviderNotRegisteredError extends HandoverError {
  readonly [notRegisteredMarker] = true;

  constructor(options: { readonly provider: string; readonly registered: readonly string[]; readonly suggestion?: string }) {
    const known = options.registered.length === 0 ? "none" : options.registered.join(", ");
    const hint = options.suggestion
      ? `Did you mean "${options.suggestion}"?`
      : `Add it to "plugins" in the configuration and install its package.`;
    super({
      code: "PROVIDER_NOT_REGISTERED",
      message: `No provider "${options.provider}" is loaded. Loaded: ${known}. ${hint}`,
      effect: "connection",
    });
  }

  static override isInstance(value: unknown): value is ProviderNotRegisteredError {
    return hasMarker(value, notRegisteredMarker);
  }
}
