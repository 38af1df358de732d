import type { ConfigIssue } from "@handover/core";

/**
 * What a waiting user is told about the queue, the same for every provider. A handover may set some of it anew; what it leaves
 * out is as the endpoint says.
 */
export interface QueueOptions {
  /**
   * Ask the vendor for the position, and show it. `false` hides it even where the vendor tells it by itself. Without a word
   * nothing is asked, and what the vendor tells is shown.
   */
  readonly getQueuePosition?: boolean;
  /** Default 30, at least `queueUpdateMinimumMs` of the timing. */
  readonly updateIntervalQueuePositionSeconds?: number;
  /** The same as `getQueuePosition` for the estimated waiting time. */
  readonly getEstimatedWaitTime?: boolean;
  /** Default 30, at least `queueUpdateMinimumMs` of the timing. */
  readonly updateIntervalEstimatedWaitTimeSeconds?: number;
  /** Show `alternativeText` instead of the numbers while one of them is above its maximum. */
  readonly alternativeUpdate?: boolean;
  /** The highest position that is shown. Without it the position is never too high. */
  readonly maximumQueuePosition?: number;
  /** The longest estimated wait that is shown. Without it the wait is never too long. */
  readonly maximumEstimatedWaitTimeMs?: number;
  readonly alternativeText?: string;
}

/** How often the vendor is asked where nobody says so. */
export const defaultUpdateIntervalSeconds = 30;

const kinds: Readonly<Record<keyof QueueOptions, "boolean" | "number" | "string">> = {
  getQueuePosition: "boolean",
  updateIntervalQueuePositionSeconds: "number",
  getEstimatedWaitTime: "boolean",
  updateIntervalEstimatedWaitTimeSeconds: "number",
  alternativeUpdate: "boolean",
  maximumQueuePosition: "number",
  maximumEstimatedWaitTimeMs: "number",
  alternativeText: "string",
};

/** What is wrong with queue options that come from outside; nothing when they can be used. */
export function findQueueIssues(options: Readonly<Record<string, unknown>>): ConfigIssue[] {
  return Object.entries(options).flatMap(([key, value]): ConfigIssue[] => {
    const kind = Object.hasOwn(kinds, key) ? kinds[key as keyof QueueOptions] : undefined;
    const problem = findProblem(key, kind, value);
    return problem === undefined || value === undefined ? [] : [{ path: ["queue", key], message: problem }];
  });
}

function findProblem(key: string, kind: "boolean" | "number" | "string" | undefined, value: unknown): string | undefined {
  if (kind === undefined) return `is not known here. Known: ${Object.keys(kinds).join(", ")}`;
  if (typeof value !== kind) return `must be a ${kind}`;
  if (typeof value !== "number") return undefined;
  if (!Number.isFinite(value) || value < 0) return "must be a number, 0 or more";
  return key.endsWith("Seconds") && value === 0 ? "must be more than 0 seconds" : undefined;
}
