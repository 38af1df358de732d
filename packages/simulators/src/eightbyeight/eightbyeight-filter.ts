import { badRequest } from "./eightbyeight-errors.ts";
import type { JsonObject } from "./eightbyeight-state.ts";

type Test = (item: JsonObject) => boolean;

/** FIQL as far as lists need it: `==` and `!=` with `*` for any text, `;` for and, `,` for or, parentheses. */
export function parseFilter(text: string): Test {
  let rest = text;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const match = pattern.exec(rest) ?? undefined;
    if (match) rest = rest.slice(match[0].length);
    return match;
  };
  const refuse = (): never => {
    throw badRequest("invalid_filter", "The filter is no valid expression.");
  };

  function readAny(): Test {
    const tests = [readAll()];
    while (take(/^,/)) tests.push(readAll());
    return (item) => tests.some((test) => test(item));
  }

  function readAll(): Test {
    const tests = [readOne()];
    while (take(/^;/)) tests.push(readOne());
    return (item) => tests.every((test) => test(item));
  }

  function readOne(): Test {
    if (take(/^\(/)) {
      const test = readAny();
      return take(/^\)/) ? test : refuse();
    }
    const [, path = "", operator = "", value = ""] = take(/^([\w.]+)(==|!=)([^,;()]*)/) ?? refuse();
    const pattern = new RegExp(`^${value.split("*").map(escapePattern).join(".*")}$`, "s");
    const isWanted = (item: JsonObject): boolean => valuesAt(item, path.split(".")).some((found) => pattern.test(found));
    return operator === "==" ? isWanted : (item) => !isWanted(item);
  }

  const test = readAny();
  return rest === "" ? test : refuse();
}

/** All texts at a path; a list counts as each of its members. */
export function valuesAt(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((member) => valuesAt(member, path));
  const [key, ...rest] = path;
  if (key === undefined) return ["string", "number", "boolean"].includes(typeof value) ? [String(value)] : [];
  return typeof value === "object" && value !== null ? valuesAt((value as JsonObject)[key], rest) : [];
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}
