import { randomBytes } from "node:crypto";
import type { Cache, Clock, HttpDispatcher, Json, Logger, MemoryScope, ProviderContext, StartCall, StartProgress } from "@handover/core";

/** The time of the suite: the system's. */
const systemClock: Clock = { now: () => Date.now() };

/** The system's time, that can be put forward. */
export function createSuiteClock(): Clock & { passTime(durationMs: number): void } {
  let aheadMs = 0;
  return { now: () => Date.now() + aheadMs, passTime: (durationMs) => void (aheadMs += durationMs) };
}

/** A logger that keeps each line, at every level, with its fields. */
export function createLineLogger(lines: string[]): Logger {
  const write = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** A context as a host makes it, in memory. */
export function createContext(options: {
  readonly dispatcher: HttpDispatcher;
  readonly logger: Logger;
  readonly webhookUrl: string;
  /** Default: the system's time. */
  readonly clock?: Clock;
}): ProviderContext {
  const clock = options.clock ?? systemClock;
  const scopes = new Map<string, MemoryScope>();
  const scope = (key: string): MemoryScope => {
    const known = scopes.get(key) ?? createScope();
    scopes.set(key, known);
    return known;
  };
  return {
    connection: "conformance",
    dispatcher: options.dispatcher,
    clock,
    random: { bytes: (count) => randomBytes(count), number: () => Math.random() },
    logger: options.logger,
    webhookUrl: options.webhookUrl,
    cache: createCache(clock),
    memory: { account: scope("account"), user: (userKey) => scope(`user:${userKey}`) },
  };
}

function createCache(clock: Clock): Cache {
  const values = new Map<string, { value: Json; untilMs: number }>();
  return {
    get(key) {
      const kept = values.get(key);
      return kept && kept.untilMs > clock.now() ? kept.value : undefined;
    },
    set: (key, value, lifetimeMs) => void values.set(key, { value, untilMs: clock.now() + lifetimeMs }),
    delete: (key) => void values.delete(key),
  };
}

function createScope(): MemoryScope {
  const values = new Map<string, Json>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

/** What may be set about a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly attempt?: number;
  readonly checkpoint?: (progress: StartProgress) => Promise<void>;
}

/** A call as the runtime makes it, with a deadline of 15 seconds. */
export function createCall(logger: Logger, options: CallOptions = {}): StartCall {
  const bytes = Buffer.from("a file of the suite");
  return {
    signal: options.signal ?? AbortSignal.timeout(15_000),
    deadlineMs: systemClock.now() + 15_000,
    idempotencyKey: options.idempotencyKey ?? randomBytes(18).toString("base64url"),
    attempt: options.attempt ?? 1,
    readAttachment: async () => ({ name: "plan.txt", type: "text/plain", sizeBytes: bytes.length, stream: new Blob([bytes]).stream() }),
    logger,
    tracer: { span: (_name, _attributes, run) => run() },
    checkpoint: options.checkpoint ?? (async () => undefined),
  };
}
