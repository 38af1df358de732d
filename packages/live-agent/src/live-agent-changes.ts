import type { Call, Reference } from "@handover/core";
import type { LiveAgentParts } from "./live-agent-start.ts";
import { isSince, learnVersion } from "./live-agent-version.ts";
import type { WireConversation } from "./live-agent-wire.ts";

const pageSize = 25;
const mostPages = 40;
/** Clocks of two machines differ. */
const clockToleranceMs = 120_000;
/** The word for all of them came with 1.21. */
const eachStatus = ["open", "resolved", "pending", "snoozed"];

/**
 * Which conversations of the account changed. `updated_within` answers all of them at once; a server that does not know it
 * answers pages, sorted by the last activity: those are read until they are old enough. Section 3.3 of the reference page.
 */
export async function findChanged(parts: LiveAgentParts, sinceMs: number, call: Call): Promise<Reference[]> {
  const ids = new Set<string>();
  for (const status of isSince(await learnVersion(parts, call.signal), "1.21") === false ? eachStatus : ["all"]) {
    await addChanged(parts, { status, sinceMs: sinceMs - clockToleranceMs, ids }, call);
  }
  return [...ids].map((id) => `conversation:${id}`);
}

interface Search {
  readonly status: string;
  readonly sinceMs: number;
  readonly ids: Set<string>;
}

async function addChanged({ client, context }: LiveAgentParts, { status, sinceMs, ids }: Search, call: Call): Promise<void> {
  const withinSeconds = Math.max(1, Math.ceil((context.clock.now() - sinceMs) / 1000));
  for (let page = 1; page <= mostPages; page += 1) {
    const conversations = await client.listUpdated({ status, ...(page === 1 ? { withinSeconds } : { page }) }, call.signal);
    for (const { id } of conversations) ids.add(id);
    // More than a page: the filter was known, and this is everything. Less: there is no more.
    if (conversations.length !== pageSize) return;
    // Something old in a full page: the filter was ignored, and what comes after it is older still.
    if (conversations.some((conversation) => lastChange(conversation) * 1000 < sinceMs - clockToleranceMs)) return;
  }
}

/** Seconds. What a server does not say counts as now. */
function lastChange({ updated_at: updatedAt, last_activity_at: lastActivityAt, timestamp }: WireConversation): number {
  const known = [updatedAt, lastActivityAt, timestamp].filter((time) => time !== undefined);
  return known.length === 0 ? Infinity : Math.max(...known);
}
