import type { Call, Handover } from "@handover/core";
import type { PublicInbox } from "./live-agent-public.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";

/** As the customer, or not at all: the account's own call would show our technical user typing. Section 3.3 of the reference page. */
export async function setTyping(
  inbox: PublicInbox,
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  isTyping: boolean,
  call: Call,
): Promise<void> {
  if (!isTerminal(handover.state.status)) await inbox.setTyping(handover, isTyping, call);
}
