import type { Json } from "@handover/core";
import { z } from "zod";

/** What a run has got done; each value is saved as soon as it is known. */
const valuesSchema = z.object({
  accountId: z.string().exactOptional(),
  /** An account was asked for, and the answer has not come yet: where accounts cannot be listed, nobody can tell. */
  isAccountAskedFor: z.boolean().exactOptional(),
  userId: z.string().exactOptional(),
  isInAccount: z.boolean().exactOptional(),
  apiKey: z.string().exactOptional(),
  agentBotId: z.string().exactOptional(),
  isBotAskedFor: z.boolean().exactOptional(),
  inboxId: z.string().exactOptional(),
  inboxIdentifier: z.string().exactOptional(),
  signatureSecret: z.string().exactOptional(),
});

export interface Progress {
  readonly values: z.output<typeof valuesSchema>;
  /** Resolves once it is durable. */
  save(next: Partial<z.output<typeof valuesSchema>>): Promise<void>;
}

export function readProgress(saved: Json | undefined): z.output<typeof valuesSchema> {
  return valuesSchema.safeParse(saved).data ?? {};
}
