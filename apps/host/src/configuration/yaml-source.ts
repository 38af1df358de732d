import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type YAMLError } from "yaml";
import { interpolate, type Environment } from "./interpolate.ts";
import { pathText, type ConfigurationProblem, type Path } from "./problem.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A configuration as it was read, with the way back from a path to a place in the file. */
export interface ConfigurationSource {
  /** The name for messages. */
  readonly file: string;
  readonly value: unknown;
  /** The place of a path, or of the nearest thing around it that is there. */
  locate(path: Path): Position | undefined;
  /** Environment variables that a value was made of. */
  variablesAt(path: Path): readonly string[];
  /** True where a variable is missing: whatever else is wrong with that value follows from it. */
  isIncomplete(path: Path): boolean;
}

/** Reads YAML and puts the environment in. What cannot be read becomes problems, never an exception. */
export function readYaml(
  text: string,
  options: { readonly file: string; readonly environment: Environment },
): { readonly source: ConfigurationSource; readonly problems: readonly ConfigurationProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number | undefined): Position | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      code: "INVALID_YAML",
      file: options.file,
      ...at(error.pos[0]),
      path: "",
      message: describeYamlError(error),
    }));
    return { source: emptySource(options.file), problems };
  }
  const { variables, failures } = putEnvironmentIn(document, options.environment);
  const locate = (path: Path) => at(offsetOf(document, path));
  const problems = failures.map(({ path, message }) => ({
    code: "ENVIRONMENT_VARIABLE_MISSING",
    file: options.file,
    ...locate(path),
    path: pathText(path),
    message,
  }));
  const incomplete = new Set(failures.map(({ path }) => pathText(path)));
  try {
    const source: ConfigurationSource = {
      file: options.file,
      value: document.toJS({ maxAliasCount: 100 }) as unknown,
      locate,
      variablesAt: (path) => variables.get(pathText(path)) ?? [],
      isIncomplete: (path) => incomplete.has(pathText(path)),
    };
    return { source, problems };
  } catch {
    const message = "refers to itself, or repeats its anchors too often. Write the values out";
    return { source: emptySource(options.file), problems: [{ code: "INVALID_YAML", file: options.file, path: "", message }] };
  }
}

/** A configuration that was made by a program. */
export function sourceOfValue(file: string, value: unknown): ConfigurationSource {
  return { ...emptySource(file), value };
}

function emptySource(file: string): ConfigurationSource {
  return { file, value: undefined, locate: () => undefined, variablesAt: () => [], isIncomplete: () => false };
}

// The parser's own words repeat the text around the mistake, and that text may be a secret.
const yamlErrors: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "the same key stands twice in one map. Remove one of them",
  TAB_AS_INDENT: "indented with a tab. YAML wants spaces",
  BAD_INDENT: "the indentation does not fit to the lines around it",
  MISSING_CHAR: "a bracket, a quote or a colon is missing",
  MULTIPLE_DOCS: "more than one YAML document. Keep one",
  BAD_ALIAS: "an alias (*name) whose anchor (&name) is not there",
  BLOCK_AS_IMPLICIT_KEY: "a colon too many in this line. Put the value in quotes",
  MULTILINE_IMPLICIT_KEY: "a colon is missing after this key, or a quote is not closed",
};

function describeYamlError(error: YAMLError): string {
  return `not valid YAML: ${yamlErrors[error.code] ?? "something stands here that does not belong here"} (${error.code})`;
}

function putEnvironmentIn(document: Document, environment: Environment) {
  const variables = new Map<string, readonly string[]>();
  const failures: { path: Path; message: string }[] = [];
  walk(document.contents, [], (scalar, path) => {
    if (typeof scalar.value !== "string" || !scalar.value.includes("${")) return;
    const result = interpolate(scalar.value, environment);
    scalar.value = result.text;
    if (result.variables.length > 0) variables.set(pathText(path), result.variables);
    failures.push(...result.problems.map((message) => ({ path, message })));
  });
  return { variables, failures };
}

function walk(node: Node | null | undefined, path: Path, visit: (scalar: { value: unknown }, path: Path) => void): void {
  if (isScalar(node)) visit(node, path);
  else if (isSeq(node)) node.items.forEach((item, index) => walk(item as Node, [...path, index], visit));
  else if (isMap(node)) for (const pair of node.items) walk(pair.value as Node, [...path, keyOf(pair.key)], visit);
}

function offsetOf(document: Document, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0];
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    const step = stepInto(node, key);
    if (!step) break;
    offset = step.offset ?? offset;
    node = step.node;
  }
  return offset;
}

function stepInto(node: unknown, key: string | number): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof key === "number") {
    const item = node.items[key] as Node | undefined;
    return item && { node: item, offset: item.range?.[0] };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((candidate) => keyOf(candidate.key) === String(key));
  return pair && { node: pair.value, offset: (pair.key as Node).range?.[0] };
}

function keyOf(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  return typeof value === "string" ? value : String(value);
}
