import type { Call, Clock, Handover } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { markerAttribute } from "./live-agent-deliveries.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";

/** Cognigy's own words. Section 1.4 of the reference page. */
const texts = { joined: "User joined the conversation", left: "User left the conversation" };

/** Tells the agent by a private note, which nobody else ever sees: the API has no call that shows a customer as present. */
export async function setUserPresence(
  client: LiveAgentClient,
  clock: Clock,
  { state }: Handover<LiveAgentOptions, LiveAgentState>,
  isPresent: boolean,
  call: Call,
): Promise<void> {
  if (isTerminal(state.status)) return;
  const key = call.idempotencyKey;
  const fields = {
    content: isPresent ? texts.joined : texts.left,
    message_type: "outgoing",
    private: true,
    source_id: key,
    content_attributes: { [markerAttribute]: key },
    external_created_at: Math.floor(clock.now() / 1000),
  };
  await client.createMessage(state.conversationId, fields, call.signal);
}
