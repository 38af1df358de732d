import { createHash } from "node:crypto";
import type { Availability, Json } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorSummary } from "../support/describe-error.ts";
import { setNewest } from "../support/set-newest.ts";
import { randomId } from "../support/system-random.ts";
import { readAvailability } from "./read-availability.ts";

/** Asks connections whether somebody would take a handover. The answers are kept for a moment, and are the same for all users. */
export interface AvailabilityChecks {
  /**
   * Never throws and takes no longer than `timing.availabilityTimeoutMs`: what cannot be learned is `unknown`.
   * @param options of the provider, as a handover would have them
   * @param use `fresh-no`: somebody is sent away only by a desk that says so now, not by what it said a moment ago
   */
  ask(connection: Connection, options: Json, use?: "fresh-no"): Promise<Availability>;
}

/** How long an answer is good. Who was told that nobody is there asks again sooner than somebody who was let in. */
const keepMs: Readonly<Record<Availability["status"], number>> = { available: 15_000, unavailable: 10_000, unknown: 5_000 };
const rememberedAnswers = 1_000;

/** Checks with their answers in memory. */
export function createAvailabilityChecks(context: RuntimeContext): AvailabilityChecks {
  const answers = new Map<string, { readonly answer: Availability; readonly untilMs: number }>();
  const asking = new Map<string, Promise<Availability>>();

  async function askAndKeep(key: string, connection: Connection, options: Json): Promise<Availability> {
    const answer = await askVendor(context, connection, options);
    asking.delete(key);
    setNewest(answers, key, { answer, untilMs: context.clock.now() + keepMs[answer.status] }, rememberedAnswers);
    context.metrics.count("handover_availability_checks_total", { connection: connection.name, result: answer.status });
    return answer;
  }

  return {
    async ask(connection, options, use) {
      if (!connection.handle.checkAvailability) return { status: "unknown" };
      const key = keyOf(connection, options);
      const known = answers.get(key);
      const isOldNo = use === "fresh-no" && known?.answer.status === "unavailable";
      if (known && !isOldNo && known.untilMs > context.clock.now()) return known.answer;
      const answer = asking.get(key) ?? askAndKeep(key, connection, options);
      asking.set(key, answer);
      return answer;
    },
  };
}

/** Always as short as this: options may come from outside. */
function keyOf({ name }: Connection, options: Json): string {
  return createHash("sha256")
    .update(JSON.stringify([name, sorted(options)]))
    .digest("base64url");
}

/** The same options are the same question, in whatever order they were given. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner as Json)]));
}

async function askVendor(context: RuntimeContext, connection: Connection, options: Json): Promise<Availability> {
  const { timing, clock } = context;
  try {
    const parsed: unknown = connection.provider.options.parse(options);
    if (!(await connection.gate.mayCallNow("checkAvailability"))) return { status: "unknown" };
    const untilMs = clock.now() + Math.min(timing.availabilityTimeoutMs, timing.callTimeoutMs);
    const call = { connection, method: "checkAvailability", idempotencyKey: randomId(context.random), untilMs, isOffline: true } as const;
    const answer = await callVendor(context, call, async (its, handle) => {
      await connection.prepare(its);
      return handle.checkAvailability?.(parsed, its);
    });
    return readAvailability(answer);
  } catch (error) {
    context.logger.debug(`Nobody can tell whether somebody is there: ${errorSummary(error)}`, { connection: connection.name });
    return { status: "unknown" };
  }
}
