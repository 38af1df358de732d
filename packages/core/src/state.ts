import { StateIncompatibleError } from "./errors/provider-errors.ts";
import type { Json } from "./json.ts";
import { supportedSpecificationVersions } from "./plugins/provider-shape.ts";
import type { HandoverProvider } from "./provider.ts";

/** A provider's state as it is stored: opaque, with the mark of who wrote it. */
export interface StoredState {
  readonly provider: string;
  readonly specificationVersion: string;
  readonly version: number;
  readonly data: Json;
}

/** Marks a state with its provider and version, for the store. */
export function packState(provider: HandoverProvider, state: unknown): StoredState {
  return {
    provider: provider.name,
    specificationVersion: provider.specificationVersion,
    version: provider.state.version,
    data: state as Json,
  };
}

/**
 * Reads a stored state with the provider's own schema for its version.
 *
 * @throws StateIncompatibleError when another provider wrote it, or a version that this one cannot read
 */
export function unpackState(provider: HandoverProvider, stored: StoredState): unknown {
  if (stored.provider !== provider.name) {
    throw new StateIncompatibleError({
      message: `The stored state belongs to the provider "${stored.provider}", not to "${provider.name}". Give the connection its former provider back until its handovers have ended.`,
    });
  }
  const isKnown = supportedSpecificationVersions.includes(stored.specificationVersion);
  const schema = isKnown ? provider.state.schemas[stored.version] : undefined;
  if (!schema) {
    throw new StateIncompatibleError({
      message: `The stored state of "${provider.name}" has version ${stored.version} (specification ${stored.specificationVersion}), this release reads ${Object.keys(provider.state.schemas).join(", ")} (specification ${supportedSpecificationVersions.join(", ")}). Install the release that wrote it, or a newer one.`,
    });
  }
  const result = schema.safeParse(stored.data);
  if (result.success) return result.data;
  throw new StateIncompatibleError({
    message: `The stored state of "${provider.name}" (version ${stored.version}) does not have the expected shape.`,
    cause: result.error,
  });
}
