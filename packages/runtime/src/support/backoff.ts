import { HandoverError, type Random } from "@handover/core";
import type { Timing } from "../options.ts";

/** How long to wait after the given number of failed tries: doubling with jitter, or as long as the other side asked. */
export function pauseAfter(tries: number, timing: Timing, random: Random, error?: unknown): number {
  const ceiling = Math.min(timing.retryMaximumMs, timing.retryFirstMs * 2 ** Math.min(30, Math.max(0, tries - 1)));
  const pause = Math.round(ceiling * (0.5 + random.number() / 2));
  const asked = HandoverError.isInstance(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(pause, asked);
}
