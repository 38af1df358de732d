import { parseArgs } from "node:util";
import { didYouMean } from "@handover/core";

/** A command line that cannot be understood. Exit code 2. */
export class UsageError extends Error {}

export interface Flag {
  readonly name: string;
  readonly type: "boolean" | "string";
  readonly isRepeatable?: boolean;
}

export interface Arguments {
  readonly positionals: readonly string[];
  has(flag: string): boolean;
  text(flag: string): string | undefined;
  texts(flag: string): readonly string[];
}

/** Reads arguments after the command's name. `--help` is always known. @throws UsageError with "did you mean" */
export function readArguments(args: readonly string[], flags: readonly Flag[], positionalCount: number): Arguments {
  const known = [...flags, { name: "help", type: "boolean" as const }];
  const options = Object.fromEntries(
    known.map(({ name, type }) => [name, { type, multiple: true, ...(name === "help" ? { short: "h" } : {}) }]),
  );
  const { tokens, positionals } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const flag = known.find(({ name }) => name === token.name);
    if (!flag) throw unknownFlag(token.rawName, known);
    values.set(flag.name, [...(values.get(flag.name) ?? []), readValue(flag, token.rawName, token.value)]);
  }
  checkCounts(values, flags);
  const surplus = positionals[positionalCount];
  if (surplus !== undefined && !values.has("help")) throw new UsageError(`Unexpected argument "${surplus}".`);
  return {
    positionals,
    has: (flag) => values.has(flag),
    text: (flag) => values.get(flag)?.[0],
    texts: (flag) => values.get(flag) ?? [],
  };
}

function readValue(flag: Flag, rawName: string, value: string | undefined): string {
  if (flag.type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    return "";
  }
  if (value === undefined || value === "" || value.startsWith("--")) throw new UsageError(`${rawName} needs a value.`);
  return value;
}

function checkCounts(values: ReadonlyMap<string, readonly string[]>, flags: readonly Flag[]): void {
  for (const { name, isRepeatable } of flags) {
    if ((values.get(name)?.length ?? 0) > 1 && isRepeatable !== true) throw new UsageError(`--${name} stands there twice.`);
  }
}

function unknownFlag(rawName: string, known: readonly Flag[]): UsageError {
  const suggestion = didYouMean(
    rawName.replace(/^-+/, ""),
    known.map(({ name }) => name),
  );
  return new UsageError(`Unknown flag ${rawName}.${suggestion ? ` Did you mean --${suggestion}?` : ""}`);
}
