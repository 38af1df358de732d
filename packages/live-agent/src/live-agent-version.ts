import { ProviderApiError, type Call, type ProviderContext } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";

interface Parts {
  readonly context: ProviderContext;
  readonly client: LiveAgentClient;
}

/** Servers are upgraded while we run. */
const lifetimeMs = 3_600_000;
const userKey = "live-agent:technical-user";
const versionKey = "live-agent:version";

/** Learns before the first call what later calls would have to ask for. What cannot be learned now is asked for again. */
export async function prepare(parts: Parts, call: Call): Promise<void> {
  await Promise.all([
    learnVersion(parts, call.signal),
    learnTechnicalUser(parts, call.signal).catch(() => call.logger.debug("the technical user is not known yet")),
  ]);
}

/** Our own user, by whose id echoes are told from answers. An installation without the call gives none. */
export function learnTechnicalUser(parts: Parts, signal: AbortSignal): Promise<string | undefined> {
  return remember(parts, userKey, async () => {
    try {
      return (await parts.client.getProfile(signal)).id;
    } catch (error) {
      if (!ProviderApiError.isInstance(error) || error.isRetryable) throw error;
      return undefined;
    }
  });
}

/** `"4.15.1"`; `undefined` where the server does not say, or not now. Section 2 of the reference page. */
export async function learnVersion(parts: Parts, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await remember(parts, versionKey, () => parts.client.getVersion(signal));
  } catch {
    // Whatever is wrong shows in the calls that matter.
    return undefined;
  }
}

/** Whether a server has what came with a version; `unknown` for one that does not name its own. */
export function isSince(version: string | undefined, since: string): boolean | "unknown" {
  const [own, needed] = [version, since].map((text) =>
    /^v?(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(text ?? "")
      ?.slice(1, 4)
      .map((part) => Number(part || 0)),
  );
  if (!own || !needed) return "unknown";
  const index = needed.findIndex((part, place) => part !== own[place]);
  return index < 0 || (own[index] ?? 0) > (needed[index] ?? 0);
}

async function remember(parts: Parts, key: string, learn: () => Promise<string | undefined>): Promise<string | undefined> {
  const known = parts.context.cache.get(key);
  if (typeof known === "string") return known === "" ? undefined : known;
  const learned = await learn();
  parts.context.cache.set(key, learned ?? "", lifetimeMs);
  return learned;
}
