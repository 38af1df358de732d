import type { Call, DeliveryReport, Handover, ProviderContext } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { PublicInbox } from "./live-agent-public.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { type LiveAgentState } from "./live-agent-state.ts";

const absenceKey = "live-agent:no-message-status";
const presenceKey = "live-agent:has-message-status";
const absenceMs = 600_000;
/** Ticks are no reason to use up what the account may call. */
const mostMessages = 10;

/**
 * What became of the agents' messages on the user's side. "Read" is one call of the customer's own API (3.1 and newer); the rest,
 * and servers where that is switched off, is told message by message (4.2 and newer). Older servers are told nothing.
 */
export async function reportDelivery(
  parts: { readonly client: LiveAgentClient; readonly inbox: PublicInbox; readonly context: Pick<ProviderContext, "cache"> },
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  report: DeliveryReport,
  call: Call,
): Promise<void> {
  if (report.status === "read" && (await parts.inbox.markSeen(handover, call))) return;
  const { client, context } = parts;
  if (context.cache.get(absenceKey) === true) return;
  const fields = {
    status: report.status,
    ...(report.status === "failed" ? { external_error: report.reason ?? "The message was not shown." } : {}),
  };
  for (const messageId of report.vendorMessageIds.slice(-mostMessages)) {
    if (await client.setMessageStatus(handover.state.conversationId, messageId, fields, call.signal)) {
      context.cache.set(presenceKey, true, absenceMs);
      continue;
    }
    // Where the call worked a moment ago, only this message is missing: an agent has deleted it, or its conversation.
    if (context.cache.get(presenceKey) === true) continue;
    context.cache.set(absenceKey, true, absenceMs);
    return;
  }
}
