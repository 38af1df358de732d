import type { QueueSettings } from "../shared/control-queue.ts";
import type { Changes } from "../shared/changes.ts";
import type { Clock } from "../shared/clock.ts";
import type { WebhookSender } from "../shared/webhook-sender.ts";
import type { LiveAgentBehaviour } from "./live-agent-behaviour.ts";
import type { LiveAgentSetup } from "./live-agent-options.ts";
import type { LiveAgentProfile } from "./live-agent-profile.ts";
import type { Conversation, LiveAgentState } from "./live-agent-state.ts";

/** What the operations of the simulated product work on. */
export interface LiveAgentContext {
  readonly setup: LiveAgentSetup;
  readonly profile: LiveAgentProfile;
  readonly state: LiveAgentState;
  readonly clock: Clock;
  readonly sender: WebhookSender;
  readonly changes: Changes;
  /** Signs the addresses of files. */
  readonly urlSecret: Uint8Array;
  behaviour: LiveAgentBehaviour;
  /** What the desk says about the queue. */
  queue: QueueSettings;
  /** Where the product is, without a slash at the end; known once the server listens. */
  origin: string;
}

export function announceChange(context: LiveAgentContext, conversation: Conversation): void {
  context.changes.emit({ kind: "conversation", id: conversation.key });
}
