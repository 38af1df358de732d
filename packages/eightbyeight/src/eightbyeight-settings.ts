import { findBaseUrlProblem } from "@handover/provider-utils";
import { z } from "zod";

const secretText = z.string().trim().min(1, "is empty");
/** Ids are opaque; a number that somebody wrote without quotes is the same id. */
const id = z.union([z.string(), z.number().int()]).transform(String).pipe(z.string().trim().min(1, "is empty").max(255));
const tenant = z.string().trim().min(1, "is empty").max(255);
const httpsUrl = z
  .string()
  .trim()
  .superRefine((value, issues) => {
    const problem = findBaseUrlProblem(value, "https://<host>/", "urlToken");
    if (problem) issues.addIssue({ code: "custom", message: problem });
    else if (!value.startsWith("https://")) issues.addIssue({ code: "custom", message: "must begin with https://" });
  });

/** The link to an Agent Assist or Copilot workspace; section 1.5 of the reference page. */
const agentAssistSchema = z.strictObject({
  baseUrl: httpsUrl.meta({
    title: "Agent Assist base URL",
    description: "Of the workspace, for example https://ai-copilot-trial.cognigy.ai/",
  }),
  urlToken: secretText.meta({
    title: "URLToken",
    description: "The endpoint's token: the last part of its Config URL. Never the API key of 8x8",
    secret: true,
  }),
  organisationId: z.string().optional().meta({ title: "Organisation id", description: "Cognigy's organisation id, not the 8x8-Tenant" }),
  projectId: z.string().optional().meta({ title: "Project id" }),
  configId: z.string().optional().meta({ title: "Workspace config id" }),
  propertyKey: z.string().trim().min(1).default("agentAssistUrl").meta({ title: "Name of the customer value that holds the link" }),
});

/** What settings and provisioning have in common. */
export const accountShape = {
  baseUrl: z
    .string()
    .transform(normaliseBaseUrl)
    .meta({ title: "Base URL", description: "URL of the 8x8 server, as a rule https://api.8x8.com. A path is kept" }),
  apiKey: secretText.meta({
    title: "API Key",
    description: "8x8 Admin Console > API Keys > Create App > API product Chat Gateway > eye icon. The key, not the secret",
    secret: true,
  }),
  tenant: tenant.optional().meta({
    title: "8x8-Tenant",
    description: "Only with several tenants: Configuration Manager for Contact Center > Home > Profile > Tenant Name",
  }),
};

export const eightbyeightSettingsSchema = z.strictObject({
  ...accountShape,
  channelId: id.meta({ title: "8x8 Channel Id", description: "Configuration Manager > Channels > Chat API: column ID of the channel" }),
  queueId: id
    .optional()
    .meta({ title: "8x8 Queue Id", description: "Same row, column Queue ID. Without it the channel's own queue is taken" }),
  verifySignature: z.boolean().default(true).meta({
    title: "Verify signature",
    description: "Off: webhooks need the secret of the webhook URL instead of 8x8's signature",
  }),
  requireUrlSecret: z
    .boolean()
    .default(false)
    .meta({ title: "Require URL secret", description: "Webhooks need the secret of the webhook URL too" }),
  jwkBaseUrl: z
    .string()
    .transform(normaliseBaseUrl)
    .optional()
    .meta({ title: "JWK base URL", description: "Where the keys of signatures are. Default: Base URL" }),
  maxSkewMs: z.number().int().min(10_000).max(3_600_000).default(300_000).meta({
    title: "Maximum skew",
    description: "How far a webhook's transmission time may be from ours, in milliseconds",
  }),
  expectedTenant: tenant
    .optional()
    .meta({ title: "Expected tenant", description: "Events of other tenants are refused. Default: 8x8-Tenant" }),
  agentLeftGraceMs: z.number().int().min(0).max(300_000).default(5_000).meta({
    title: "Grace time after an agent left",
    description: "How long a transfer may take to show, in milliseconds; then the handover has ended",
  }),
  requestTimeoutMs: z.number().int().min(1_000).max(60_000).default(15_000).meta({
    title: "Request timeout",
    description: "For one call of the API, in milliseconds",
  }),
  sendHistory: z.boolean().default(true).meta({ title: "Send history", description: "Agents read what was said before the handover" }),
  historyTimes: z
    .boolean()
    .default(true)
    .meta({ title: "Times in the history", description: "Each line of the history begins with its original time" }),
  timeZone: z
    .string()
    .default("UTC")
    .refine(isTimeZone, "is no IANA time zone, for example Europe/Berlin")
    .meta({ title: "Time zone of these times" }),
  defaultLanguage: z
    .string()
    .trim()
    .min(2)
    .optional()
    .meta({ title: "Default language", description: "For users whose language is not known" }),
  agentDisplayName: z
    .string()
    .trim()
    .min(1)
    .optional()
    .meta({ title: "Agent display name", description: "Events of 8x8 name no agents: all are shown by this name" }),
  longestTextCharacters: z
    .number()
    .int()
    .min(100)
    .max(100_000)
    .default(4_000)
    .meta({ title: "Longest text", description: "Longer texts are split" }),
  largestFileBytes: z.number().int().min(1).max(1_073_741_824).default(20_971_520).meta({
    title: "Largest file",
    description: "In bytes; the user is told that a larger one is not sent",
  }),
  handoverIdKey: z.string().trim().min(1).max(100).default("handoverId").meta({
    title: "Name of the customer value that holds the handover's id",
  }),
  fileHosts: z.array(z.string().trim().toLowerCase().min(1)).default([]).meta({
    title: "File hosts",
    description: "Hosts besides *.8x8.com and that of the Base URL from which files of agents are fetched by their pre-signed URL",
  }),
  hasQueueStatistics: z.boolean().default(false).meta({
    title: "Queue statistics",
    description: "The API Key may also read the queue statistics (/cc/v1/stats): says whether agents are there",
  }),
  agentAssist: agentAssistSchema
    .optional()
    .meta({ title: "Agent Assist", description: "Puts a link to the workspace into the customer values" }),
});

export type EightbyeightSettings = z.output<typeof eightbyeightSettingsSchema>;

const scalar = z.union([z.string(), z.number(), z.boolean()]).nullish();

/** `user` of the conversation, as people copy it from Cognigy: nulls everywhere. Further keys are shown to the agent too. */
const jsonPropertiesSchema = z.looseObject({
  name: scalar,
  userId: scalar,
  email: scalar,
  phone: scalar,
  company: scalar,
  caseId: scalar,
  language: scalar,
  additionalProperties: z.array(z.object({ key: scalar, value: scalar })).nullish(),
});

export const eightbyeightOptionsSchema = z.strictObject({
  channelId: id.optional().meta({ title: "8x8 Channel Id", description: "Another channel than that of the connection" }),
  queueId: id.optional().meta({ title: "8x8 Queue Id", description: "Another queue than that of the connection" }),
  jsonProperties: jsonPropertiesSchema
    .optional()
    .meta({ title: "8x8 JSON properties", description: "What the agent is shown of the customer" }),
  conversationId: id.optional().meta({
    title: "Conversation of 8x8's own channel",
    description: "This conversation is put into the queue instead of a new one; 8x8 carries its messages itself",
  }),
  agentAssistLink: z.boolean().optional().meta({ title: "Agent Assist link", description: "Default: true where Agent Assist is set up" }),
  agentAssistSessionId: z.string().optional().meta({ title: "Session id of the link", description: "Default: the conversation's id" }),
  agentAssistUserId: z.string().optional().meta({ title: "User id of the link", description: "Default: the user's id" }),
});

export type EightbyeightOptions = z.output<typeof eightbyeightOptionsSchema>;

/** The address below which all paths are; people paste it with and without the gateway's own part. */
function normaliseBaseUrl(value: string, issues: z.RefinementCtx): string {
  const text = value.trim();
  const problem = findBaseUrlProblem(text, "https://api.8x8.com");
  if (problem) {
    issues.addIssue({ code: "custom", message: problem });
    return z.NEVER;
  }
  const url = new URL(text);
  const prefix = url.pathname.replace(/\/+$/, "").replace(/\/chat-gateway(\/v1)?$/i, "");
  return `${url.origin}${prefix}`;
}

function isTimeZone(value: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: value }));
  } catch {
    return false;
  }
}
