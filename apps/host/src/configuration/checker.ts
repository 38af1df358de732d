import { toConfigIssues } from "@handover/core";
import type { z, ZodObject, ZodType } from "zod";
import { pathText, type ConfigurationProblem, type Path } from "./problem.ts";
import type { ConfigurationSource } from "./yaml-source.ts";

/** Collects the problems of one configuration. */
export interface Checker {
  readonly source: ConfigurationSource;
  readonly problems: readonly ConfigurationProblem[];
  count(): number;
  add(code: string, path: Path, message: string): void;
  /** Checks one section. Nothing is returned for one with problems. */
  read<Output>(schema: ZodType<Output>, value: unknown, path: Path): Output | undefined;
  /** True when a variable is missing somewhere in the section. */
  isIncompleteBelow(path: Path): boolean;
}

/** The keys of a section that are right by themselves: a mistake in one key must not hide those in the others. */
export function rightPartsOf<Schema extends ZodObject>(schema: Schema, value: unknown): Partial<z.output<Schema>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const given = value as Readonly<Record<string, unknown>>;
  const right = Object.entries(schema.shape).flatMap(([key, part]) => {
    const result = (part as ZodType).safeParse(given[key]);
    return result.success && result.data !== undefined ? [[key, result.data] as const] : [];
  });
  return Object.fromEntries(right) as Partial<z.output<Schema>>;
}

export function createChecker(source: ConfigurationSource, initial: readonly ConfigurationProblem[]): Checker {
  const problems = [...initial];
  const checker: Checker = {
    source,
    problems,
    count: () => problems.length,
    add(code, path, message) {
      if (source.isIncomplete(path)) return;
      problems.push({ code, file: source.file, ...source.locate(path), path: pathText(path), message });
    },
    read(schema, value, path) {
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      for (const issue of toConfigIssues(result.error.issues, schema, value)) {
        const code = issue.message.includes("not available in this version") ? "NOT_AVAILABLE_YET" : "INVALID_CONFIG";
        checker.add(code, [...path, ...issue.path], issue.message);
      }
      return undefined;
    },
    isIncompleteBelow(path) {
      const prefix = pathText(path);
      return problems.some((problem) => problem.code === "ENVIRONMENT_VARIABLE_MISSING" && problem.path.startsWith(prefix));
    },
  };
  return checker;
}
