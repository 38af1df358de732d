/** What must stop because of an error: one message, the whole handover, or everything that uses the connection. */
export type ErrorEffect = "message" | "handover" | "connection";

/** Whether what was asked for may have happened all the same. */
export type ErrorOutcome = "not-applied" | "unknown";

/** What every error of this project is made of. */
export interface HandoverErrorOptions {
  /** Stable, upper snake case. */
  readonly code: string;
  /** What happened, and what to do about it. No secret, no text of a user. */
  readonly message: string;
  /** Whether the same call can succeed later. Default: false. */
  readonly isRetryable?: boolean;
  /** How long the other side asked us to wait. */
  readonly retryAfterMs?: number;
  /** Default: `message`. */
  readonly effect?: ErrorEffect;
  /** Default: `not-applied`. */
  readonly outcome?: ErrorOutcome;
  readonly cause?: unknown;
}

const marker = Symbol.for("handover.error");

/**
 * The base of all errors of this project. Two copies of this package recognise each other's errors through `isInstance`,
 * which `instanceof` would not.
 */
export class HandoverError extends Error {
  readonly code: string;
  readonly isRetryable: boolean;
  readonly retryAfterMs?: number;
  readonly effect: ErrorEffect;
  readonly outcome: ErrorOutcome;
  readonly [marker] = true;

  constructor(options: HandoverErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.isRetryable = options.isRetryable ?? false;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    this.effect = options.effect ?? "message";
    this.outcome = options.outcome ?? "not-applied";
  }

  /** True for an error of this project, whichever copy of the package made it. */
  static isInstance(value: unknown): value is HandoverError {
    return hasMarker(value, marker);
  }
}

/** True when a value is an object that carries the marker. For the `isInstance` of error classes. */
export function hasMarker(value: unknown, symbol: symbol): boolean {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[symbol] === true;
}
