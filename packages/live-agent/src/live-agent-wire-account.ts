import { z } from "zod";

// Loose on purpose, as in live-agent-wire.ts.
const id = z.union([z.number(), z.string().min(1)]).transform(String);
const text = z.string().optional().catch(undefined);
const record = z.record(z.string(), z.unknown()).catch({});
const texts = z.array(z.string()).optional().catch(undefined);

/** Counts of conversations; the first request that the documentation shows. */
export const countsSchema = z.object({
  meta: z.object({
    unassigned_count: z.number().optional().catch(undefined),
    all_count: z.number().optional().catch(undefined),
  }),
});

const agentRowSchema = z.object({
  id,
  availability_status: text,
  role: text,
  /** Where Live Agent keeps skills is not documented (inferred). */
  skills: texts,
  languages: texts,
  custom_attributes: record,
});
export const agentListSchema = z.array(agentRowSchema);
export const agentPayloadSchema = z.object({ payload: z.array(agentRowSchema) });

export const teamListSchema = z.array(z.object({ id }));
export const labelListSchema = z.object({ payload: z.array(z.string()) });
export const versionSchema = z.object({ version: z.string() });
/** The answer to an assignment: who has it now, or nothing. */
export const assignedSchema = z.object({ id }).nullish().catch(undefined);

export const inboxSchema = z.object({
  id,
  name: text,
  channel_type: text,
  inbox_identifier: text,
  webhook_url: text,
  secret: text,
  lock_to_single_conversation: z.boolean().optional().catch(undefined),
  additional_attributes: record,
});
export const inboxRowsSchema = z.object({ payload: z.array(inboxSchema) });

/** Answers of the platform API. */
export const platformAccountSchema = z.object({ id, name: text, custom_attributes: record });
export const platformAccountsSchema = z.array(platformAccountSchema);
export const platformUserSchema = z.object({ id, access_token: text, email: text });
export const platformTokenSchema = z.object({ access_token: z.string().min(1) });
export const platformBotSchema = z.object({ id });

export type WireAgentRow = z.output<typeof agentRowSchema>;
export type WireInboxRow = z.output<typeof inboxSchema>;
