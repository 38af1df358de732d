import { z } from "zod";

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

export const liveAgentSettingsSchema = z
  .strictObject({
    baseUrl: z.string().transform(normaliseBaseUrl).meta({
      title: "Base URL",
      description:
        "The address of the Live Agent installation, with or without /api/v1, for example https://liveagent-trial.cognigy.ai/api/v1",
    }),
    accountId: id.meta({
      title: "Account ID",
      description: "In the address bar after login: https://<host>/app/accounts/<Account ID>/...",
    }),
    apiKey: z.string().trim().min(1, "is empty").meta({
      title: "API Key",
      description: "Profile Settings > Access Token of a technical user with the administrator role that no person works with",
      secret: true,
    }),
    inboxId: id.meta({ title: "Inbox ID", description: "Settings > Inboxes > Configuration > Inbox ID" }),
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
    requestTimeoutMs: z.number().int().min(1000).max(60_000).default(15_000).meta({
      title: "Request timeout",
      description: "For one call of the API, in milliseconds",
    }),
  })
  .superRefine((settings, issues) => {
    if (settings.requireSignature && settings.signatureSecret === undefined) {
      issues.addIssue({ code: "custom", path: ["requireSignature"], message: "needs signatureSecret" });
    }
  });

export type LiveAgentSettings = z.output<typeof liveAgentSettingsSchema>;

export const liveAgentOptionsSchema = z.strictObject({
  inboxId: id.optional().meta({ title: "Live Agent Inbox Id", description: "Another inbox than that of the connection" }),
  priority: z.enum(["none", "low", "medium", "high", "urgent"]).optional().meta({ title: "Priority" }),
  skills: z.array(z.string()).optional().meta({ title: "Skills", description: "Agents with these skills are preferred" }),
  languages: z.array(z.string()).optional().meta({ title: "Languages", description: "Agents with these languages are preferred" }),
  customAttributes: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .meta({ title: "Custom attributes", description: "Shown to the agent with the conversation; texts of at most 1500 characters" }),
});

export type LiveAgentOptions = z.output<typeof liveAgentOptionsSchema>;

/** Cognigy prints the address with and without `/api/v1`, and once with the `/openapi` of the document page: all mean the same. */
function normaliseBaseUrl(value: string, issues: z.RefinementCtx): string {
  const problem = findUrlProblem(value.trim());
  if (problem) {
    issues.addIssue({ code: "custom", message: problem });
    return z.NEVER;
  }
  const url = new URL(value.trim());
  const prefix = url.pathname
    .replace(/\/+$/, "")
    .replace(/\/openapi$/i, "")
    .replace(/\/api\/v1$/i, "");
  return `${url.origin}${prefix}/api/v1`;
}

function findUrlProblem(value: string): string | undefined {
  if (!URL.canParse(value)) return "is not a URL; it looks like https://<host>/api/v1";
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https://";
  if (url.protocol === "http:" && !isLoopback(url.hostname)) return "must begin with https:// (http is for this machine only)";
  if (url.username || url.password) return "must not contain a user name or password; the token belongs into apiKey";
  if (url.search || url.hash) return "must not have a query or a fragment";
  return undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
