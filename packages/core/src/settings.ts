import { z, type ZodType } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { InvalidConfigError, type ConfigIssue } from "./errors/invalid-config-error.ts";
import type { HandoverProvider } from "./provider.ts";

/** A JSON Schema document (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a form or a documentation page needs to know about a provider. */
export interface SettingsDescription {
  readonly name: string;
  readonly title: string;
  /** Properties carry `title`, `description` and, for secrets, `secret: true`. */
  readonly settings: JsonSchema;
  readonly options: JsonSchema;
  /** Only where the provider can provision. */
  readonly provisioning?: JsonSchema;
}

/** Describes a provider's settings, options and provisioning input as JSON Schema with the vendor's labels and the secret mark. */
export function describeSettings(provider: HandoverProvider): SettingsDescription {
  return {
    name: provider.name,
    title: provider.title,
    settings: toSchema(provider.settings),
    options: toSchema(provider.options),
    ...(provider.provisioning ? { provisioning: toSchema(provider.provisioning.input) } : {}),
  };
}

function toSchema(schema: ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

/**
 * Checks a value against a strict schema of a provider.
 *
 * @param subject what is checked, for the message: `connection "support-desk" (live-agent)`
 * @throws InvalidConfigError that names every problem with its path; unknown keys come with "did you mean"; no value is quoted
 */
export function parseConfig<Output>(schema: ZodType<Output>, value: unknown, subject: string): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidConfigError({ subject, issues: toConfigIssues(result.error.issues, schema), cause: undefined });
}

/** Turns the issues of zod into issues for people, without the values that were refused. */
export function toConfigIssues(issues: readonly z.core.$ZodIssue[], schema: ZodType): ConfigIssue[] {
  const shape = toSchema(schema);
  return issues.flatMap((issue): ConfigIssue[] => {
    const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
    if (issue.code !== "unrecognized_keys") return [{ path, message: describeIssue(issue) }];
    const known = knownKeys(shape, path);
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.input === undefined && issue.message.includes("undefined")) return "is missing";
  return issue.message;
}

function unknownKey(key: string, known: readonly string[]): string {
  const suggestion = didYouMean(key, known);
  if (suggestion) return `unknown key "${key}". Did you mean "${suggestion}"?`;
  return known.length === 0 ? `unknown key "${key}"` : `unknown key "${key}". Known keys: ${known.join(", ")}`;
}

function knownKeys(schema: JsonSchema, path: readonly (string | number)[]): string[] {
  let node: unknown = schema;
  for (const key of path) node = step(node, key);
  const properties = (node as { properties?: object } | undefined)?.properties;
  return properties ? Object.keys(properties) : [];
}

function step(node: unknown, key: string | number): unknown {
  const schema = node as { properties?: Record<string, unknown>; items?: unknown; additionalProperties?: unknown } | undefined;
  return typeof key === "number" ? schema?.items : (schema?.properties?.[key] ?? schema?.additionalProperties);
}
