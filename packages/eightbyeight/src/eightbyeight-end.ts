import { ConversationGoneError, type Call, type Handover, type RequestedEnd } from "@handover/core";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";

/** The customer leaves: nobody is left to serve, and the agent sees who has gone. Section 3.7 of the reference page. */
export async function end(
  client: EightbyeightClient,
  handover: Handover<EightbyeightOptions, EightbyeightState>,
  { actor }: RequestedEnd,
  call: Call,
): Promise<"ended"> {
  // On 8x8's own channel they go on talking there, whatever a timer of ours says.
  if (handover.state.relay === "none" && actor === "system") return "ended";
  try {
    await client.removeCustomer(handover.state.conversationId, call.signal);
  } catch (error) {
    if (!ConversationGoneError.isInstance(error)) throw error;
  }
  return "ended";
}
