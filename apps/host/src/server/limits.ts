import type { LimitsConfiguration, RateLimit } from "../configuration/configuration-schema.ts";
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

/** Somebody who looks whether people are there, without a conversation. */
export interface LimitedLook {
  readonly endpoint: string;
  readonly address: string;
  readonly kind: "availability";
}

/** The answer is kept, so a look costs little; many users may come from one address. */
const looksPerAddress: RateLimit = { messages: 300, seconds: 10 };

/** @returns a check that throws Problem 429 with `Retry-After` */
export function createLimits(limits: LimitsConfiguration, now: () => number): (action: LimitedAction | LimitedLook) => void {
  const perConversation = createRateLimiter(limits.perConversation, now);
  const perAddress = limits.perAddress && createRateLimiter(limits.perAddress, now);
  const perEndpoint = limits.perEndpoint && createRateLimiter(limits.perEndpoint, now);
  const looks = createRateLimiter(looksPerAddress, now);
  return (action) => {
    const { endpoint, address, kind } = action;
    const waitMs =
      (perAddress?.take(`${kind} ${address}`) ?? 0) ||
      (action.kind === "availability"
        ? looks.take(`${endpoint} ${address}`)
        : perConversation.take(JSON.stringify([kind, endpoint, action.conversation]))) ||
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
