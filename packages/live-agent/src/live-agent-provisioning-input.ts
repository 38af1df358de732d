import { z } from "zod";

const id = z.union([z.number().int(), z.string()]).transform(String).pipe(z.string().trim().regex(/^\d+$/, "must consist of digits"));
const name = z.string().trim().min(1, "is empty").max(255);

/** What the operator says to `handover provision`. Everything but the organisation has a default. */
export const provisioningInputSchema = z
  .strictObject({
    organisation: name.meta({
      title: "Organisation",
      description: "Names the account: all connections of one organisation share it",
    }),
    accountId: id.optional().meta({ title: "Account ID", description: "An account that is there already" }),
    apiKey: z.string().trim().min(1, "is empty").optional().meta({
      title: "API Key",
      description: "The access token of an administrator of that account, where Live Agent lets nobody make users by the platform token",
      secret: true,
    }),
    userEmail: z.email("must be an e-mail address").optional().meta({
      title: "E-mail of the technical user",
      description: "Default: an address that receives nothing. It must not be that of a person",
    }),
    inboxId: id.optional().meta({ title: "Inbox ID", description: "An inbox that is there already; only its Webhook URL is set" }),
    inboxName: name
      .regex(/^[^=]/, 'must not start with "="')
      .optional()
      .meta({ title: "Inbox Name", description: 'Default: "Handover" and the name of the connection' }),
    agentIds: z.array(id).max(500).default([]).meta({ title: "Agents", description: "Ids of the agents who are to answer in the inbox" }),
    withAgentBot: z.boolean().default(false).meta({
      title: "Agent bot",
      description: "Makes an agent bot in whose name the bot's lines of the transcript appear",
    }),
  })
  .superRefine((input, issues) => {
    if (input.apiKey !== undefined && input.accountId === undefined) {
      issues.addIssue({ code: "custom", path: ["apiKey"], message: "needs accountId: a token opens one account" });
    }
  });

export type ProvisioningInput = z.output<typeof provisioningInputSchema>;
