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
  throw new InvalidConfigError({ subject, issues: toConfigIssues(result.error.issues, schema, value), cause: undefined });
}

/**
 * Turns the issues of zod into issues for people, without the values that were refused.
 *
 * @param value what was checked; with it, what is not there is called missing whatever the schema says about it
 */
export function toConfigIssues(issues: readonly z.core.$ZodIssue[], schema: ZodType, value?: unknown): ConfigIssue[] {
  const shape = toSchema(schema);
  return issues.flatMap((issue) => toIssues(issue, { shape, value, parent: [] }));
}

interface IssueContext {
  readonly shape: JsonSchema;
  readonly value: unknown;
  readonly parent: Path;
}

type Path = readonly (string | number)[];

function toIssues(issue: z.core.$ZodIssue, context: IssueContext): ConfigIssue[] {
  const path = [...context.parent, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(context.shape, path);
    return issue.keys.map((key) => unknownKey(key, path, known));
  }
  if (issue.code === "invalid_union") {
    const nearest = [...issue.errors].sort((left, right) => left.length - right.length)[0];
    if (nearest) return nearest.flatMap((inner) => toIssues(inner, { ...context, parent: path }));
  }
  return [{ path, message: isMissing(issue, path, context.value) ? `is missing${describeChoices(issue)}` : issue.message }];
}

function isMissing(issue: z.core.$ZodIssue, path: Path, value: unknown): boolean {
  if (value === undefined || path.length === 0) return issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  let node: unknown = value;
  for (const key of path) node = (node as Readonly<Record<string | number, unknown>> | null | undefined)?.[key];
  return node === undefined;
}

function describeChoices(issue: z.core.$ZodIssue): string {
  // A discriminated union names its choices as `options`, which the type of the issue lacks.
  const choices = issue.code === "invalid_value" ? issue.values : (issue as { options?: readonly unknown[] }).options;
  return choices ? `; allowed: ${choices.map((choice) => JSON.stringify(choice)).join(", ")}` : "";
}

/** A key that is no plain word is not repeated: in YAML, `apiKey:secret` without the space is a key, and holds the secret. */
function unknownKey(key: string, path: Path, known: readonly string[]): ConfigIssue {
  if (!/^[\w-]{1,64}$/.test(key)) return { path, message: "has a key that is no plain word. Is a space missing after a colon?" };
  const suggestion = didYouMean(key, known);
  const hint = suggestion ? `. Did you mean "${suggestion}"?` : known.length > 0 ? `. Known keys: ${known.join(", ")}` : "";
  return { path: [...path, key], message: `unknown key "${key}"${hint}` };
}

function knownKeys(schema: JsonSchema, path: Path): string[] {
  let nodes: JsonSchema[] = alternatives(schema);
  for (const key of path) nodes = nodes.flatMap((node) => alternatives(step(node, key)));
  return [...new Set(nodes.flatMap((node) => Object.keys(node["properties"] ?? {})))];
}

/** A schema and, where it is a choice of several, each of those. */
function alternatives(node: unknown): JsonSchema[] {
  if (typeof node !== "object" || node === null) return [];
  const schema = node as JsonSchema;
  const inner = ["oneOf", "anyOf", "allOf"].flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as unknown[]) : []));
  return [schema, ...inner.flatMap(alternatives)];
}

function step(schema: JsonSchema, key: string | number): unknown {
  if (typeof key === "number") return schema["items"];
  return (schema["properties"] as Record<string, unknown> | undefined)?.[key] ?? schema["additionalProperties"];
}
