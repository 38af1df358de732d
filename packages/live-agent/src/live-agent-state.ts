import { z } from "zod";

export const agentSchema = z.object({ id: z.string(), name: z.string().exactOptional(), avatarUrl: z.string().exactOptional() });

/** What is remembered of one conversation at the desk. */
export const liveAgentStateSchema = z.object({
  conversationId: z.string(),
  sourceId: z.string(),
  contactId: z.string().exactOptional(),
  /** Who the API key belongs to: what that user writes is ours. */
  technicalUserId: z.string().exactOptional(),
  /** The last status known. */
  status: z.string(),
  /** Stamps of the last snapshot that was applied, in seconds, as the vendor gives them. */
  updatedAt: z.number().exactOptional(),
  lastActivityAt: z.number().exactOptional(),
  agent: agentSchema.exactOptional(),
  team: z.string().exactOptional(),
  /** Where the conversation is, once a snapshot said so: agents can move it. */
  inbox: z.string().exactOptional(),
  /** Up to when an agent has read, in seconds. */
  agentSeenAt: z.number().exactOptional(),
  /** Fingerprints of the last texts that the user was shown, by message: an update with another one is an edit. */
  texts: z.record(z.string(), z.string()).exactOptional(),
  /** Opens the public API of the inbox, where the server has it. */
  inboxIdentifier: z.string().exactOptional(),
});

export type LiveAgentState = z.output<typeof liveAgentStateSchema>;
export type LiveAgentAgent = z.output<typeof agentSchema>;

/** Live Agent's wire word for an abandoned conversation is not documented; `abandoned` and `closed` are inferred. */
export function isTerminal(status: string): boolean {
  return status === "resolved" || status === "abandoned" || status === "closed";
}

/** Any other status does not end a handover, and somebody should hear of it. Section 3.3 of the reference page. */
export function isKnownStatus(status: string): boolean {
  return isTerminal(status) || status === "open" || status === "pending" || status === "snoozed";
}
