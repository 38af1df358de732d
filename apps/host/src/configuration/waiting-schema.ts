import type { QueueOptions } from "@handover/runtime";
import { z } from "zod";

// What a user is told while waiting for people, and whether somebody is asked for first. The words are Cognigy's; what has a unit has it
// in its name.

const interval = z.number().positive().max(86_400).optional();

/** What a handover may say about its queue: in the configuration, and in a bot's answer. */
export const queueKeys = {
  getQueuePosition: z.boolean().optional().meta({
    description: "Ask for the position and show it. false: never show it. Default: show what the contact centre tells by itself.",
  }),
  updateIntervalQueuePositionSeconds: interval.meta({ description: "Default: 30." }),
  getEstimatedWaitTime: z.boolean().optional().meta({ description: "The same for the estimated waiting time." }),
  updateIntervalEstimatedWaitTimeSeconds: interval.meta({ description: "Default: 30." }),
  alternativeUpdate: z.boolean().optional().meta({ description: "Show alternativeText while a number is above its maximum." }),
  maximumQueuePosition: z.number().nonnegative().optional(),
  maximumEstimatedWaitTimeMs: z.number().nonnegative().optional(),
  alternativeText: z.string().max(2_000).optional(),
} satisfies Record<keyof QueueOptions, unknown>;

export const queueSchema = z.strictObject(queueKeys);

export const availabilitySchema = z.strictObject({
  checkBeforeStart: z.boolean().optional().meta({ description: "Ask whether somebody is there before a handover starts. Default: true." }),
  whenUnknown: z.enum(["start", "stop"]).optional().meta({ description: "What happens when nobody can tell. Default: start." }),
});
