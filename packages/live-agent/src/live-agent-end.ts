import { ConversationGoneError, ProviderApiError, type Call, type Handover } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";

/** Resolves the conversation. One that was deleted or is over already is a success. */
export async function end(client: LiveAgentClient, handover: Handover<LiveAgentOptions, LiveAgentState>, call: Call): Promise<"ended"> {
  const { conversationId } = handover.state;
  try {
    const answer = await client.setStatus(conversationId, "resolved", call.signal);
    // Live Agent may refuse to change an abandoned conversation (inferred).
    const status =
      answer === "refused" || answer === "untold" ? (await client.getConversation(conversationId, call.signal)).status : answer;
    if (isTerminal(status)) return "ended";
  } catch (error) {
    if (ConversationGoneError.isInstance(error)) return "ended";
    throw error;
  }
  throw new ProviderApiError({
    code: "CONVERSATION_NOT_CLOSED",
    message: "Live Agent does not close the conversation.",
    isRetryable: true,
  });
}
