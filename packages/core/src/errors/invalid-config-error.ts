import { HandoverError, hasMarker } from "./handover-error.ts";

/** One thing that is wrong in a configuration. */
export interface ConfigIssue {
  /** Where: `["baseUrl"]`, `["endpoints", 0, "token"]`. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to do. Never the value of a secret. */
  readonly message: string;
}

const marker = Symbol.for("handover.error.invalid-config");

/** Settings, options or a configuration file that cannot be used. Names every problem at once. Code `INVALID_CONFIG`. */
export class InvalidConfigError extends HandoverError {
  readonly issues: readonly ConfigIssue[];
  readonly [marker] = true;

  constructor(options: { readonly subject: string; readonly issues: readonly ConfigIssue[]; readonly cause?: unknown }) {
    const lines = options.issues.map((issue) => `  ${formatPath(issue.path)}: ${issue.message}`);
    super({
      code: "INVALID_CONFIG",
      message: `${options.subject} cannot be used:\n${lines.join("\n")}`,
      effect: "connection",
      cause: options.cause,
    });
    this.issues = options.issues;
  }

  static override isInstance(value: unknown): value is InvalidConfigError {
    return hasMarker(value, marker);
  }
}

/** `["endpoints", 0, "token"]` as `endpoints[0].token`; `(root)` when empty. */
export function formatPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return "(root)";
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}
