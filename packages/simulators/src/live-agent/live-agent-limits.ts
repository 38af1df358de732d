import type { LiveAgentContext } from "./live-agent-context.ts";

/** A call as the throttle sees it. */
export interface LimitedCall {
  readonly method: string;
  /** Without the query, below the product's own prefix. */
  readonly path: string;
  readonly address: string;
  readonly token: string;
}

export interface RateLimits {
  /** Counts the call; seconds until the window ends when it is one too many. */
  count(context: LiveAgentContext, call: LimitedCall): number | undefined;
  clear(): void;
}

interface Rule {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}

const minuteMs = 60_000;

/** The throttle before the application: fixed windows, counted before anything is looked at. */
export function createRateLimits(): RateLimits {
  const windows = new Map<string, { startedAtMs: number; count: number }>();
  return {
    count(context, call) {
      const nowMs = context.clock.now();
      for (const { name, limit, windowMs } of rulesFor(context, call)) {
        const startedAtMs = Math.floor(nowMs / windowMs) * windowMs;
        const current = windows.get(name);
        const count = current?.startedAtMs === startedAtMs ? current.count + 1 : 1;
        windows.set(name, { startedAtMs, count });
        if (count > limit) return Math.ceil((startedAtMs + windowMs - nowMs) / 1000);
      }
      return undefined;
    },
    clear: () => windows.clear(),
  };
}

function rulesFor({ profile }: LiveAgentContext, call: LimitedCall): Rule[] {
  const limit = profile.has("largerRateLimit") ? 3000 : 300;
  const rules: Rule[] = [{ name: `calls of ${call.address}`, limit, windowMs: minuteMs }];
  const account = /^\/api\/v1\/accounts\/(\d+)\//.exec(call.path)?.[1];
  if (account === undefined) return rules;
  if (call.path.endsWith("/contacts/search")) rules.push({ name: `search of ${account}`, limit: 100, windowMs: minuteMs });
  if (call.method === "POST" && call.path.endsWith("/upload"))
    rules.push({ name: `upload of ${account}`, limit: 60, windowMs: 60 * minuteMs });
  if (call.path.endsWith("/transcript")) rules.push({ name: `transcript of ${account}`, limit: 1000, windowMs: 60 * minuteMs });
  if (call.path.endsWith("/conversations/meta") && profile.has("metaRateLimit")) {
    rules.push({ name: `meta of ${call.token}`, limit: 30, windowMs: minuteMs });
  }
  return rules;
}
