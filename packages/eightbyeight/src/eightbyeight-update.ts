import type { Call, Handover, HandoverChange } from "@handover/core";
import { readCustomerValue } from "./eightbyeight-deliveries.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import { buildUser, historyNoteKey, summaryKey } from "./eightbyeight-user.ts";

/** Changes the customer's data, and the queue while nobody has answered. Section 3.7 of the reference page. */
export async function updateHandover(
  { settings, client }: EightbyeightParts,
  handover: Handover<EightbyeightOptions, EightbyeightState>,
  change: HandoverChange<EightbyeightOptions>,
  call: Call,
): Promise<void> {
  const { conversationId, marker, stage, relay } = handover.state;
  if (stage === "over") return;
  const options = change.options ?? handover.options;
  const user = change.user ?? handover.user;
  const queueId = options.queueId ?? settings.queueId;
  const hasOtherQueue = change.options !== undefined && queueId !== (handover.options.queueId ?? settings.queueId);
  const mayMove = hasOtherQueue && stage === "waiting" && queueId !== undefined;
  const hasOtherUser = change.user !== undefined || change.options?.jsonProperties !== undefined;
  // The customer of 8x8's own channel is 8x8's.
  const mayDescribe = hasOtherUser && relay === "both";
  const describe = async (): Promise<Record<string, unknown>> => {
    // All of it each time: whether the call adds or replaces is not documented. What only the start knew stands at 8x8.
    const { user: known } = await client.getConversation(conversationId, call.signal);
    const summary = readCustomerValue(known, summaryKey);
    const historyNote = readCustomerValue(known, historyNoteKey);
    return buildUser(settings, { user, conversation: handover.conversation, options, marker, summary, historyNote }).user;
  };
  const fields = {
    ...(mayMove ? { assignment: { type: "queue", id: queueId } } : {}),
    ...(mayDescribe ? { user: await describe() } : {}),
  };
  if (Object.keys(fields).length > 0) await client.changeConversation(conversationId, fields, call.signal);
}
