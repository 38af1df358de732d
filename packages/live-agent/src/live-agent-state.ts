import { z } from "zod";

export const agentSchema = z.object({ id: z.string(), name: z.string().exactOptional(), avatarUrl: z.string().exactOptional() });

/** What is remembered of one conversation at the desk. */
export const liveAgentStateSchema = z.object({
  conversationId: z.string(),
  sourceId: z.string(),
  /** Who the API key belongs to: what that user writes is ours. */
  technicalUserId: z.string().exactOptional(),
  /** The last status known. */
  status: z.string(),
  /** Stamps of the last snapshot that was applied, in seconds, as the vendor gives them. */
  updatedAt: z.number().exactOptional(),
  lastActivityAt: z.number().exactOptional(),
  agent: agentSchema.exactOptional(),
  team: z.string().exactOptional(),
});

export type LiveAgentState = z.output<typeof liveAgentStateSchema>;
export type LiveAgentAgent = z.output<typeof agentSchema>;

/** Live Agent's wire word for an abandoned conversation is not documented; `abandoned` and `closed` are inferred. */
export function isTerminal(status: string): boolean {
  return status === "resolved" || status === "abandoned" || status === "closed";
}
