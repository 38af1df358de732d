import { badInput } from "./control-error.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A JSON object with no keys but the known ones; nothing at all counts as an empty object. */
export function readObject(input: unknown, knownKeys: readonly string[]): Fields {
  const value = input ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw badInput("The body must be a JSON object.");
  for (const key of Object.keys(value)) {
    if (knownKeys.includes(key)) continue;
    const known = knownKeys.length > 0 ? `known keys: ${knownKeys.join(", ")}` : "this call takes none";
    throw badInput(`Unknown key "${key.slice(0, 60)}"; ${known}.`);
  }
  return value as Fields;
}

export function readText(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value.length === 0) throw badInput(`"${key}" must be a text that is not empty.`);
  return value;
}

export function readOptionalText(fields: Fields, key: string): string | undefined {
  return fields[key] === undefined ? undefined : readText(fields, key);
}

export function readBoolean(fields: Fields, key: string): boolean {
  const value = fields[key];
  if (typeof value !== "boolean") throw badInput(`"${key}" must be true or false.`);
  return value;
}

export function readOptionalBoolean(fields: Fields, key: string): boolean | undefined {
  return fields[key] === undefined ? undefined : readBoolean(fields, key);
}

export function readWholeNumber(fields: Fields, key: string, range: { min: number; max: number }): number {
  const value = fields[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < range.min || value > range.max) {
    throw badInput(`"${key}" must be a whole number from ${range.min} to ${range.max}.`);
  }
  return value;
}

export function readOptionalWholeNumber(fields: Fields, key: string, range: { min: number; max: number }): number | undefined {
  return fields[key] === undefined ? undefined : readWholeNumber(fields, key, range);
}

/** A share from 0 (never) to 1 (always). */
export function readOptionalRate(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) throw badInput(`"${key}" must be a number from 0 to 1.`);
  return value;
}

/** A list of texts, none of them empty. */
export function readOptionalTexts(fields: Fields, key: string): string[] | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string" && item.length > 0);
  if (!isList) throw badInput(`"${key}" must be a list of texts.`);
  return value as string[];
}

/** Like a text, or `null` for nothing. */
export function readNullableText(fields: Fields, key: string): string | null | undefined {
  return fields[key] === null ? null : readOptionalText(fields, key);
}

export function readOneOf<Choice extends string>(fields: Fields, key: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === fields[key]);
  if (found === undefined) throw badInput(`"${key}" must be one of ${choices.join(", ")}.`);
  return found;
}
