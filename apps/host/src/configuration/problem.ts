import { formatPath, HandoverError } from "@handover/core";

export type Path = readonly (string | number)[];

/** One thing that is wrong in a configuration. It never holds a value, because a value may be a secret. */
export interface ConfigurationProblem {
  /** Upper snake case, stable. */
  readonly code: string;
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
  /** `endpoints[0].token`; empty for the whole file. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** A configuration that cannot be used, with all its problems. */
export class ConfigurationError extends HandoverError {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[], cause?: unknown) {
    super({ code: "INVALID_CONFIG", message: describeProblems(problems), effect: "connection", cause });
    this.problems = problems;
  }
}

/** One line per problem, under a heading. */
export function describeProblems(problems: readonly ConfigurationProblem[]): string {
  const files = [...new Set(problems.map((problem) => problem.file))].join(", ");
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return [`${files} cannot be used, ${count}:`, ...problems.map((problem) => `  ${describeProblem(problem)}`)].join("\n");
}

function describeProblem(problem: ConfigurationProblem): string {
  const position = problem.line === undefined ? "" : `:${problem.line}:${problem.column ?? 1}`;
  const subject = problem.path === "" ? "" : `${problem.path}: `;
  return `${problem.file}${position}: ${subject}${problem.message} [${problem.code}]`;
}

export function byPosition(left: ConfigurationProblem, right: ConfigurationProblem): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0);
}

export function pathText(path: Path): string {
  return path.length === 0 ? "" : formatPath(path);
}
