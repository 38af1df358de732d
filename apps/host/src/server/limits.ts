import type { LimitsConfiguration } from "../configuration/configuration-schema.ts";
import { Problem } from "./problem.ts";
import { createRateLimiter } from "./rate-limiter.ts";

/** What wants to be done, and by whom. */
export interface LimitedAction {
  readonly endpoint: string;
  readonly conversation: string;
  readonly address: string;
  /** Typing has a budget of its own, so that it never uses up that of messages. */
  readonly kind: "message" | "typing";
}

/** @returns a check that throws Problem 429 with `Retry-After` */
export function createLimits(limits: LimitsConfiguration, now: () => number): (action: LimitedAction) => void {
  const perConversation = createRateLimiter(limits.perConversation, now);
  const perAddress = limits.perAddress && createRateLimiter(limits.perAddress, now);
  const perEndpoint = limits.perEndpoint && createRateLimiter(limits.perEndpoint, now);
  return ({ endpoint, conversation, address, kind }) => {
    const waitMs =
      (perAddress?.take(`${kind} ${address}`) ?? 0) ||
      perConversation.take(JSON.stringify([kind, endpoint, conversation])) ||
      (perEndpoint?.take(`${kind} ${endpoint}`) ?? 0);
    if (waitMs === 0) return;
    const seconds = String(Math.ceil(waitMs / 1000));
    throw new Problem({
      status: 429,
      code: "TOO_MANY_REQUESTS",
      detail: `Too fast. Try again in ${seconds} s.`,
      headers: { "retry-after": seconds },
    });
  };
}
