import type { HandoverProvider } from "../provider.ts";

/** The versions of the provider specification that this package knows. */
export const supportedSpecificationVersions: readonly string[] = ["v1"];

/** A value that says that it is a provider, of whatever version. */
export interface ProviderLike {
  readonly specificationVersion: string;
  readonly name: string;
}

/** True when a value claims to be a provider: it has a name and a specification version. */
export function isProviderLike(value: unknown): value is ProviderLike {
  return isObject(value) && typeof value["specificationVersion"] === "string" && typeof value["name"] === "string";
}

/** True when a value has everything that a provider of the known versions has. */
export function isHandoverProvider(value: unknown): value is HandoverProvider {
  return missingProviderMembers(value).length === 0 && isKnownVersion(value);
}

/** Names what a value lacks to be a provider. */
export function missingProviderMembers(value: unknown): string[] {
  if (!isObject(value)) return ["specificationVersion", "name", "title", "settings", "options", "state", "connect"];
  const checks: Record<string, boolean> = {
    specificationVersion: typeof value["specificationVersion"] === "string",
    name: typeof value["name"] === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value["name"]),
    title: typeof value["title"] === "string",
    settings: isSchema(value["settings"]),
    options: isSchema(value["options"]),
    state: isStateFormat(value["state"]),
    connect: typeof value["connect"] === "function",
  };
  return Object.keys(checks).filter((member) => !checks[member]);
}

function isKnownVersion(value: unknown): boolean {
  return isObject(value) && supportedSpecificationVersions.includes(String(value["specificationVersion"]));
}

/** The version that is written must be one that can be read again. */
function isStateFormat(value: unknown): boolean {
  if (!isObject(value) || typeof value["version"] !== "number" || !isObject(value["schemas"])) return false;
  return isSchema(value["schemas"][value["version"]]);
}

function isSchema(value: unknown): boolean {
  return isObject(value) && typeof value["safeParse"] === "function";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
