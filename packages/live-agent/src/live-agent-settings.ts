import { z } from "zod";
import { normaliseBaseUrl } from "./live-agent-base-url.ts";
import { baseUrlVariable, featureVariable, platformTokenVariable, readPlatformEnvironment } from "./live-agent-environment.ts";
import { messageSettings } from "./live-agent-message-settings.ts";

/** Ids are digits. They stay strings here, so that none loses a digit, and are numbers on the wire. */
const id = z
  .union([z.number().int("must be a whole number, or digits in quotes where it is a long one"), z.string()])
  .transform(String)
  .pipe(z.string().trim().regex(/^\d+$/, "must consist of digits"));

const attributeKey = z
  .string()
  .regex(/^(custom_attributes|additional_attributes)\.[\w-]+$/, 'must be "custom_attributes." or "additional_attributes." and a name');

const attributeKeys = z.strictObject({
  skills: attributeKey.default("custom_attributes.skills"),
  languages: attributeKey.default("custom_attributes.languages"),
  sessionId: attributeKey.default("additional_attributes.cognigy_session_id"),
});

const texts = z
  .union([z.array(z.string()), z.string().transform((value) => value.split(","))])
  .transform((values) => values.map((value) => value.trim()).filter((value) => value !== ""));

const fields = z.strictObject({
  usePlatformToken: z
    .boolean()
    .default(false)
    .meta({
      title: "Handover to pre-configured Live Agent account",
      description: `Base URL and API Key come from the environment (${featureVariable}, ${baseUrlVariable}, ${platformTokenVariable}) and from "handover provision"; those written here do not count then`,
    }),
  baseUrl: z.string().transform(readBaseUrl).optional().meta({
    title: "Base URL",
    description:
      "The address of the Live Agent installation, with or without /api/v1, for example https://liveagent-trial.cognigy.ai/api/v1",
  }),
  accountId: id.optional().meta({
    title: "Account ID",
    description: "In the address bar after login: https://<host>/app/accounts/<Account ID>/...",
  }),
  apiKey: z.string().trim().min(1, "is empty").optional().meta({
    title: "API Key",
    description: "Profile Settings > Access Token of a technical user with the administrator role that no person works with",
    secret: true,
  }),
  platformApiKey: z.string().trim().min(1, "is empty").optional().meta({
    title: "API Key of the pre-configured account",
    description: 'The access token that "handover provision" got for its technical user; used with usePlatformToken only',
    secret: true,
  }),
  inboxId: id.optional().meta({
    title: "Inbox ID",
    description: "Settings > Inboxes > Configuration > Inbox ID; may be left out where each handover names one",
  }),
  agentBotId: id.optional().meta({
    title: "Agent bot ID",
    description:
      "An agent bot of the installation in whose name the bot's lines of the transcript appear; without one they come from the technical user",
  }),
  signatureSecret: z.string().min(1, "is empty").optional().meta({
    title: "Signature secret",
    description: "The inbox's secret for signed webhooks (Chatwoot 4.13 and newer)",
    secret: true,
  }),
  previousSignatureSecret: z.string().min(1, "is empty").optional().meta({
    title: "Previous signature secret",
    description: "Accepted as well while the inbox's secret is being changed",
    secret: true,
  }),
  requireSignature: z.boolean().default(false).meta({
    title: "Require signature",
    description: "Refuse webhooks that do not carry both the secret of the webhook URL and a valid signature",
  }),
  attributeKeys: attributeKeys.prefault({}).meta({
    title: "Attribute keys",
    description: "Under which attributes of a conversation skills, languages and the session id are stored",
  }),
  deliverTemplates: z.boolean().default(true).meta({
    title: "Deliver templates",
    description: "Show greetings, out-of-office texts and automation messages to the user, as messages of the system",
  }),
  ...messageSettings,
  requestTimeoutMs: z.number().int().min(1000).max(60_000).default(15_000).meta({
    title: "Request timeout",
    description: "For one call of the API, in milliseconds",
  }),
});

type Fields = z.output<typeof fields>;

/** The settings with the pre-configured account resolved: whoever connects need not know where they came from. */
export type LiveAgentSettings = Omit<Fields, "usePlatformToken" | "platformApiKey" | "baseUrl" | "accountId" | "apiKey"> & {
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiKey: string;
};

const complete = z.check(needAll);
// What is wrong with one setting must not hide what is missing beside it.
complete._zod.def.when = ({ value }) => typeof value === "object" && value !== null;

export const liveAgentSettingsSchema = fields.check(complete).transform(resolve);

export const liveAgentOptionsSchema = z.strictObject({
  inboxId: id.optional().meta({ title: "Live Agent Inbox Id", description: "Another inbox than that of the connection" }),
  priority: z.enum(["none", "low", "medium", "high", "urgent"]).optional().meta({ title: "Priority" }),
  skills: texts.optional().meta({ title: "Skills", description: "Agents with these skills are preferred" }),
  languages: texts.optional().meta({ title: "Languages", description: "Agents with these languages are preferred" }),
  labels: texts.optional().meta({ title: "Labels", description: "Added to the labels that the conversation has" }),
  teamId: id.optional().meta({ title: "Team", description: "The team that gets the conversation: Settings > Teams" }),
  assigneeId: id.optional().meta({ title: "Assignee", description: "The agent who gets the conversation: Settings > Agents" }),
  customAttributes: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .meta({ title: "Custom attributes", description: "Shown to the agent with the conversation; texts of at most 1500 characters" }),
});

export type LiveAgentOptions = z.output<typeof liveAgentOptionsSchema>;

function needAll(payload: z.core.ParsePayload<Fields>): void {
  const { value, issues } = payload;
  const refuse = (key: string, message: string): void => {
    if (!issues.some(({ path }) => path?.[0] === key)) issues.push({ code: "custom", path: [key], message, input: undefined });
  };
  const environment = value.usePlatformToken ? readPlatformEnvironment() : undefined;
  if (environment?.isReady === false) refuse("usePlatformToken", environment.problem);
  for (const key of value.usePlatformToken ? (["accountId", "platformApiKey"] as const) : (["baseUrl", "accountId", "apiKey"] as const)) {
    if (value[key] === undefined) refuse(key, "is missing");
  }
  if (value.requireSignature && value.signatureSecret === undefined) refuse("requireSignature", "needs signatureSecret");
}

function resolve({ usePlatformToken, platformApiKey, ...settings }: Fields): LiveAgentSettings {
  const environment = usePlatformToken ? readPlatformEnvironment() : undefined;
  const { baseUrl = "", accountId = "", apiKey = "" } = settings;
  if (!environment?.isReady) return { ...settings, baseUrl, accountId, apiKey };
  return { ...settings, baseUrl: environment.baseUrl, accountId, apiKey: platformApiKey ?? "" };
}

function readBaseUrl(value: string, issues: z.RefinementCtx): string {
  const { baseUrl, problem } = normaliseBaseUrl(value);
  if (problem === undefined) return baseUrl;
  issues.addIssue({ code: "custom", message: problem });
  return z.NEVER;
}
