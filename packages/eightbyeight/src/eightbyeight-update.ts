import type { Call, Handover, HandoverChange } from "@handover/core";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import { buildUser } from "./eightbyeight-user.ts";

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
  // All of it each time: whether the call adds or replaces is not documented.
  const described = buildUser(settings, { user, conversation: handover.conversation, options, marker });
  const fields = {
    ...(mayMove ? { assignment: { type: "queue", id: queueId } } : {}),
    ...(mayDescribe ? { user: described.user } : {}),
  };
  if (Object.keys(fields).length > 0) await client.changeConversation(conversationId, fields, call.signal);
}
