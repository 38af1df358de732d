import { describeSettings, type HandoverProvider, type JsonSchema } from "@handover/core";

/** Stands in every text and address of a user in the suite: it must never be in a log line or an error. */
export const userMark = "Zwiebelkuchen";

/** The values of all settings that the provider's schema marks as secret. */
export function secretsOf(provider: HandoverProvider, settings: unknown): string[] {
  return collect(describeSettings(provider).settings, settings);
}

function collect(schema: JsonSchema, value: unknown): string[] {
  if (schema["secret"] === true && typeof value === "string" && value !== "") return [value];
  const branches = ["anyOf", "oneOf", "allOf"].flatMap((key) => (schema[key] as JsonSchema[] | undefined) ?? []);
  const inner = branches.flatMap((branch) => collect(branch, value));
  if (typeof value !== "object" || value === null) return inner;
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const nested = Object.entries(properties).flatMap(([key, property]) => collect(property, (value as Record<string, unknown>)[key]));
  return [...new Set([...inner, ...nested])];
}

/** The settings with every secret replaced by a wrong one of the same length. */
export function withWrongSecrets(settings: unknown, secrets: readonly string[]): unknown {
  return JSON.parse(JSON.stringify(settings), (_key, value: unknown) =>
    typeof value === "string" && secrets.includes(value) ? value.replace(/[a-z0-9]/gi, (letter) => (letter === "x" ? "y" : "x")) : value,
  ) as unknown;
}

/** Everything that an error says, with its causes: what could end in a log. */
export function errorText(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 5) return String(error);
  const own = JSON.stringify(Object.fromEntries(Object.entries(error)));
  return [error.message, own, error.cause === undefined ? "" : errorText(error.cause, depth + 1)].join("\n");
}
