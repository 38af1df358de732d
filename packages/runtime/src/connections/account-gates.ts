import type { HandoverConnection, Json, RateLimit } from "@handover/core";
import type { RuntimeContext } from "../runtime-context.ts";
import { createAccountGate, type AccountGate } from "./account-gate.ts";
import { createRateBudget, type RateBudget } from "./rate-budget.ts";

/** The gates of all accounts: connections of the same account share one. */
export interface AccountGates {
  get(accountKey: string): AccountGate | undefined;
  close(): void;
}

/** A connection and the limit that its configuration sets. */
export interface LimitedConnection {
  readonly handle: HandoverConnection;
  readonly configured: RateLimit | undefined;
}

/** Makes the gates, and lets instances tell each other when a vendor asks to wait. */
export function openAccountGates(context: RuntimeContext, connections: readonly LimitedConnection[]): AccountGates {
  const gates = new Map<string, AccountGate>();
  const stops: (() => void)[] = [];
  for (const [accountKey, own] of Map.groupBy(connections, ({ handle }) => handle.accountKey)) {
    const topic = `account:${accountKey}`;
    const share = (pauseMs: number): void => context.store.publish(topic, { from: context.bootId, pauseMs });
    const gate = createAccountGate({
      ...context,
      nudge: context.nudge,
      budget: openBudget(context, accountKey, own),
      ...(context.store.isShared ? { share } : {}),
    });
    gates.set(accountKey, gate);
    if (context.store.isShared) stops.push(context.store.subscribe(topic, (data) => hear(context, gate, data)));
  }
  context.metrics.gauge("handover_paused_accounts", () => [...gates.values()].filter(({ isPaused }) => isPaused).length);
  return {
    get: (accountKey) => gates.get(accountKey),
    close() {
      for (const stop of stops) stop();
      for (const gate of gates.values()) gate.close();
    },
  };
}

function hear(context: RuntimeContext, gate: AccountGate, data: Json): void {
  const { from, pauseMs } = (data ?? {}) as { from?: unknown; pauseMs?: unknown };
  if (from !== context.bootId && typeof pauseMs === "number" && pauseMs > 0) gate.pauseFor(pauseMs);
}

function openBudget(context: RuntimeContext, accountKey: string, connections: readonly LimitedConnection[]): RateBudget | undefined {
  const limits = connections.flatMap(({ handle, configured }) => toLimit(handle, configured));
  const [lowest] = limits.toSorted((left, right) => left.calls / left.perMs - right.calls / right.perMs);
  if (!lowest) return undefined;
  return createRateBudget(lowest, {
    clock: context.clock,
    takeBudget: (request) => context.store.takeBudget(`calls:${accountKey}`, request),
  });
}

/** The operator's limit wins; what a call costs only the provider knows. */
function toLimit({ rateLimit }: HandoverConnection, configured: RateLimit | undefined): RateLimit[] {
  if (configured) return [{ ...configured, ...(rateLimit?.costs ? { costs: rateLimit.costs } : {}) }];
  if (!rateLimit) return [];
  const problem = findRateLimitProblem(rateLimit);
  if (problem) throw new TypeError(`The rate limit of a connection ${problem}.`);
  return [rateLimit];
}

/** What is wrong with a limit, if anything is. */
export function findRateLimitProblem({ calls, perMs }: RateLimit): string | undefined {
  if (!Number.isInteger(calls) || calls < 1) return "needs a whole number of calls, 1 or more";
  if (!Number.isFinite(perMs) || perMs < 1) return "needs a time of 1 ms or more";
  return undefined;
}
