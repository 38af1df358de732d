import type { EndpointHandoverOptions } from "@handover/runtime";
import { z } from "zod";

const thirtyDays = 2_592_000;

const silence = (what: string) =>
  z
    .number()
    .positive()
    .max(thirtyDays, { error: `is in seconds, at most ${thirtyDays} (30 days). Were milliseconds meant?` })
    .optional()
    .meta({ description: what });

/** What an endpoint says of the talk with people, the same for every contact centre. */
export const talkKeys = {
  userIdleTimeoutSeconds: silence("How long the user may say nothing while somebody is there; then the handover ends as abandoned."),
  agentIdleTimeoutSeconds: silence("How long a message may wait for an answer while somebody is there; then it ends as timed-out."),
  connectsMessage: z.boolean().optional().meta({ description: "Whether the desk is told when the user comes back." }),
  disconnectsMessage: z.boolean().optional().meta({ description: "Whether the desk is told when the user has gone away." }),
  cancelWords: z
    .array(z.string().trim().min(1).max(200))
    .max(50)
    .optional()
    .meta({ description: "Messages that take the request back while nobody has answered." }),
  surveys: z.enum(["vendor", "bot", "none"]).optional().meta({ description: "Who asks the user how it was." }),
};

/** The same for the runtime, which counts in milliseconds. */
export function toTalkOptions(talk: z.output<z.ZodObject<typeof talkKeys>>): Partial<EndpointHandoverOptions> {
  const { userIdleTimeoutSeconds, agentIdleTimeoutSeconds, connectsMessage, disconnectsMessage, cancelWords, surveys } = talk;
  const options = {
    userIdleTimeoutMs: toMs(userIdleTimeoutSeconds),
    agentIdleTimeoutMs: toMs(agentIdleTimeoutSeconds),
    connectsMessage,
    disconnectsMessage,
    cancelWords,
    surveys,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
