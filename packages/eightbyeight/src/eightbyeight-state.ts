import { z } from "zod";

const agentSchema = z.object({
  isIn: z.boolean(),
  /** When they last came or went, as 8x8 says. */
  atMs: z.number(),
});

/** What is remembered of a handover. Times are Unix milliseconds of 8x8's clock. */
export const eightbyeightStateSchema = z.object({
  conversationId: z.string(),
  /** The value of the customer value that holds the handover's id. */
  marker: z.string(),
  /** `none`: the conversation is one of 8x8's own channel. */
  relay: z.enum(["both", "none"]),
  /** `leaving`: the last agent has left, and nobody knows yet whether that was a transfer. */
  stage: z.enum(["waiting", "served", "leaving", "over"]),
  /** 8x8's own word: `created`, `active`, `idle`. */
  vendorState: z.string().optional(),
  agents: z.record(z.string(), agentSchema),
  hadAgent: z.boolean(),
  /** Who left last, while it is not told. */
  leaver: z.string().optional(),
  /** When an agent last came. */
  servedAtMs: z.number().optional(),
  /** When it last went back to a queue. */
  movedAtMs: z.number().optional(),
  /** Of the newest CONVERSATION_UPDATE. */
  updateAtMs: z.number().optional(),
  overAtMs: z.number().optional(),
  graceUntilMs: z.number().optional(),
  /** Whose events these are, where no tenant is configured: the first one that was seen. */
  tenant: z.string().optional(),
  /** Messages of agents that were announced and are not in the listing yet. */
  announced: z.array(z.object({ sender: z.string(), atMs: z.number() })),
  /** When the listing is read again for them, and how often it was. */
  recheckAtMs: z.number().optional(),
  rechecks: z.number(),
});

export type EightbyeightState = z.output<typeof eightbyeightStateSchema>;

/** What a handover begins with. */
export function newState(fields: Pick<EightbyeightState, "conversationId" | "marker" | "relay">): EightbyeightState {
  return { ...fields, stage: "waiting", agents: {}, hadAgent: false, announced: [], rechecks: 0 };
}

/** The state without some of its optional parts. */
export function without(state: EightbyeightState, ...keys: readonly (keyof EightbyeightState)[]): EightbyeightState {
  const kept = Object.entries(state).filter(([key]) => !keys.includes(key as keyof EightbyeightState));
  return Object.fromEntries(kept) as EightbyeightState;
}
