import type { QueueSettings } from "../shared/control-queue.ts";
import type { Changes } from "../shared/changes.ts";
import type { Clock } from "../shared/clock.ts";
import type { WebhookSender } from "../shared/webhook-sender.ts";
import type { EightbyeightBehaviour } from "./eightbyeight-behaviour.ts";
import type { SigningKeys } from "./eightbyeight-keys.ts";
import type { EightbyeightSetup } from "./eightbyeight-options.ts";
import type { Conversation, EightbyeightState } from "./eightbyeight-state.ts";

/** What the operations of the simulated product work on. */
export interface EightbyeightContext {
  readonly setup: EightbyeightSetup;
  readonly state: EightbyeightState;
  readonly clock: Clock;
  readonly sender: WebhookSender;
  readonly changes: Changes;
  readonly keys: SigningKeys;
  /** Signs pre-signed URLs. */
  readonly urlSecret: Buffer;
  /** Changes as a whole. */
  behaviour: EightbyeightBehaviour;
  /** `{url}/eightbyeight`, once it listens. */
  baseUrl: string;
  /** What the queue says instead of the counted numbers. */
  queue: QueueSettings;
}

export function announceChange(context: EightbyeightContext, conversation: Conversation): void {
  context.changes.emit({ kind: "conversation", id: conversation.id });
}
