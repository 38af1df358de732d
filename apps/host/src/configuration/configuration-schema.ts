import type { Texts } from "@handover/runtime";
import { z } from "zod";
import { attachmentLimits, attachmentsSchema } from "./attachments-schema.ts";
import { isSafeUrl } from "./network.ts";
import { isSampleSecret } from "./sample-secrets.ts";
import { talkKeys } from "./talk-schema.ts";
import { availabilitySchema, queueSchema } from "./waiting-schema.ts";

// What a configuration file looks like. Each section has a schema of its own, so that a mistake in one does not hide those in
// the others.

const safeUrl = z.string().refine(isSafeUrl, { error: "must be an https URL without user and password (http only for this machine)" });

const secret = (minimum: number) =>
  z
    .string()
    .min(minimum, { error: `must have at least ${minimum} characters. Make one with: openssl rand -hex 32` })
    .refine((value) => !isSampleSecret(value), { error: "is a sample value that everybody knows. Make one with: openssl rand -hex 32" });

const origin = z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, {
  error: 'must be an origin such as "https://www.example.com": scheme, host and port, no path and no slash at the end',
});

const json = z.record(z.string(), z.json());

const settingsSchema = z.record(z.string(), z.unknown());

const notYet = (what: string) => z.never({ error: `${what} not available in this version yet. Remove it for now` }).optional();

/** How often something may be done. */
const rate = z.strictObject({ messages: z.int().min(1), seconds: z.number().positive().max(86_400) });

export const listenSchema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").meta({ description: "Address to listen on." }),
  port: z.coerce.number().int().min(0).max(65_535).optional().meta({ description: "Default: HANDOVER_PORT, else 4000." }),
  trustedProxies: z.array(z.string().min(1)).default([]).meta({ description: "Addresses whose X-Forwarded-For is believed." }),
});

export const limitsSchema = z.strictObject({
  perConversation: rate.default({ messages: 30, seconds: 10 }),
  perAddress: rate.optional(),
  perEndpoint: rate.optional(),
  jsonBytes: z.int().min(1_024).max(16_777_216).default(65_536),
  webhookBytes: z.int().min(1_024).max(16_777_216).default(1_048_576),
  messageCharacters: z.int().min(1).optional(),
  waitingMessages: z.int().min(1).optional().meta({ description: "Of one conversation, for its desk." }),
  waitingMessagesInAll: z.int().min(1).optional().meta({ description: "Of all conversations, for desks and bots." }),
  inboxDeliveries: z.int().min(1).optional().meta({ description: "Events of a contact centre that wait in one conversation." }),
  inboxDeliveriesInAll: z.int().min(1).optional().meta({ description: "Events that wait in all conversations." }),
  parkedDeliveries: z.int().min(1).optional().meta({ description: "Events of one account for conversations that nobody here knows." }),
  parkedDeliveriesInAll: z.int().min(1).optional().meta({ description: "Such events of all accounts." }),
  ...attachmentLimits,
});

const seconds = (maximum: number) => z.number().positive().max(maximum).optional();

/** Times of the runtime that an operator may have a reason to change. Without one, the runtime's own. */
const timingSchema = z.strictObject({
  callTimeoutSeconds: seconds(300).meta({ description: "One call of a contact centre." }),
  startTimeoutSeconds: seconds(3_600).meta({ description: "How long a start that was refused for the moment is repeated." }),
  messageRetrySeconds: seconds(86_400).meta({ description: "How long a message that is refused is tried again." }),
  connectionRetrySeconds: seconds(86_400).meta({ description: "How long messages wait for a contact centre that cannot be reached." }),
  catchUpIntervalSeconds: seconds(86_400).meta({ description: "How often open handovers are compared with the contact centre." }),
  presenceGraceSeconds: seconds(3_600).meta({ description: "A user who is back within this time was not away." }),
  botTimeoutSeconds: seconds(300).meta({ description: "One answer of a bot." }),
  leaseSeconds: seconds(3_600).meta({ description: "After how long another instance takes over what this one does not hold any more." }),
  pollSeconds: seconds(60).meta({ description: "How often each instance looks for work that is due." }),
});

const httpBotSchema = z.strictObject({
  url: safeUrl,
  secret: secret(16),
  name: z.string().min(1).optional(),
  events: z.array(z.enum(["queued", "active", "ended", "inactive"])).optional(),
});

const botSchema = z
  .strictObject(
    { none: z.strictObject({}).optional(), demo: z.strictObject({}).optional(), http: httpBotSchema.optional() },
    {
      error: (issue) =>
        issue.code === "invalid_type" ? 'must be none, { demo: {} } or { http: { url: ..., secret: "${NAME}" } }' : undefined,
    },
  )
  .refine(hasOneKey, { error: "must be exactly one of none, demo and http" });

const signedSchema = z
  .strictObject({
    secret: secret(32).optional(),
    jwksUrl: safeUrl.optional(),
    issuer: z.string().min(1).optional(),
    audience: z.string().min(1).optional(),
  })
  .refine((value) => (value.secret === undefined) !== (value.jwksUrl === undefined), { error: "needs either secret or jwksUrl" });

const accessSchema = z
  .strictObject(
    { open: z.strictObject({}).optional(), signed: signedSchema.optional() },
    {
      error: (issue) =>
        issue.code === "invalid_type" ? 'must be open, or { signed: { secret: "${NAME}" } }, or { signed: { jwksUrl: ... } }' : undefined,
    },
  )
  .refine(hasOneKey, { error: "must be exactly one of open and signed" });

const textKeys = {
  accepted: z.string().optional(),
  unavailable: z.string().optional(),
  failed: z.string().optional(),
  timedOut: z.string().optional(),
  completed: z.string().optional(),
  cancelled: z.string().optional(),
  abandoned: z.string().optional(),
  messageFailed: z.string().optional(),
  queuePosition: z.string().optional(),
  estimatedWait: z.string().optional(),
  fileUnavailable: z.string().optional(),
  cancelButton: z.string().max(80).optional(),
} satisfies Record<keyof Texts, unknown>;

const endpointHandoverSchema = z
  .strictObject({
    connections: z.array(z.string()).min(1).optional(),
    provider: z.string().min(1).optional(),
    settings: settingsSchema.optional(),
    options: json.optional(),
    texts: z.strictObject(textKeys).optional(),
    acceptTimeoutSeconds: z.number().positive().max(31_536_000).optional(),
    ...talkKeys,
    queue: queueSchema.optional(),
    repeatHandoverMessage: z.boolean().optional(),
    availability: availabilitySchema.optional(),
  })
  .refine((value) => (value.connections === undefined) !== (value.provider === undefined), {
    error: "needs either connections (names) or provider with its settings",
  })
  .refine((value) => value.settings === undefined || value.provider !== undefined, { error: "has settings but no provider" });

export const endpointSchema = z.strictObject({
  token: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "must be 1 to 64 letters, digits, dashes and underscores" }),
  title: z.string().min(1).max(200).optional(),
  access: accessSchema,
  allowedOrigins: z.array(origin).default([]),
  bot: botSchema.default({ none: {} }),
  handover: endpointHandoverSchema.optional(),
  channelOptions: z.array(z.string().min(1)).default([]),
});

export const connectionSchema = z.strictObject({
  provider: z.string().min(1),
  settings: settingsSchema.default({}),
  options: json.optional(),
  webhookSecrets: z
    .array(secret(16).regex(/^[A-Za-z0-9_-]{0,128}$/, { error: "goes into a URL: at most 128 letters, digits, dashes and underscores" }))
    .min(1)
    .max(2)
    .optional(),
  rateLimit: z
    .strictObject({ calls: z.int().min(1), perSeconds: z.number().min(0.001).max(86_400) })
    .optional()
    .meta({ description: "Calls that the contact centre takes, over all instances. Default: what its provider says." }),
});

/** Which store; PostgreSQL is read by `postgresSchema`, because its place in the file may hold a text or a map. */
const storeSchema = z
  .strictObject({ sqlite: z.string().min(1).optional(), postgres: z.unknown().optional() })
  .refine(({ sqlite, postgres }) => sqlite === undefined || postgres === undefined, {
    error: "must be either sqlite or postgres",
  });

/** Special characters that are not encoded make a part of the password look like a host or a path. */
export const postgresUrl = z.string({ error: 'must be a text: "${DATABASE_URL}"' }).refine(isPostgresUrl, {
  error: "must be postgres://user:password@host:5432/database; special characters in it are percent-encoded",
});

export const postgresSchema = z.strictObject(
  {
    url: postgresUrl.meta({ description: "May lead through a transaction pooler.", secret: true }),
    listenUrl: postgresUrl
      .optional()
      .meta({ description: "Leads to the server itself. Needed behind a transaction pooler.", secret: true }),
    schema: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,49}$/, { error: "must be up to 50 lower-case letters, digits and underscores, with no digit first" })
      .optional(),
    poolSize: z.int().min(1).max(1_000).optional(),
  },
  {
    error: (issue) => (issue.code === "invalid_type" ? 'must be "${DATABASE_URL}", or { url, listenUrl?, schema?, poolSize? }' : undefined),
  },
);

/** The outermost level; connections and endpoints are read one by one. */
export const rootSchema = z.strictObject({
  plugins: z.array(z.string().min(1)).default([]),
  publicUrl: safeUrl.optional(),
  listen: listenSchema.optional(),
  store: storeSchema.optional(),
  connections: z.record(z.string(), z.unknown()).default({}),
  endpoints: z.array(z.unknown()).min(1, { error: "needs at least one endpoint" }),
  limits: limitsSchema.optional(),
  timing: timingSchema.optional(),
  attachments: attachmentsSchema.optional(),
  allowOpenAccess: z.boolean().default(false),
  metrics: z.strictObject({ token: secret(16) }).optional(),
  operator: z.strictObject({ token: secret(16) }).optional(),
  retention: notYet("Retention is"),
});

export type RateLimit = z.output<typeof rate>;
export type TimingConfiguration = z.output<typeof timingSchema>;
export type LimitsConfiguration = z.output<typeof limitsSchema>;
export type ListenConfiguration = z.output<typeof listenSchema>;
export type EndpointFile = z.output<typeof endpointSchema>;
export type ConnectionFile = z.output<typeof connectionSchema>;
export type SignedAccess = z.output<typeof signedSchema>;
export type HttpBotConfiguration = z.output<typeof httpBotSchema>;
export type RootFile = z.output<typeof rootSchema>;

function isPostgresUrl(value: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { pathname, search, hash } = new URL(value);
  return hash === "" && !`${pathname}${search}`.includes("@");
}

function hasOneKey(value: object): boolean {
  return Object.values(value).filter((part) => part !== undefined).length === 1;
}

/** `access: open` and `bot: none` are short for a map with that one key. */
export function spellOut(endpoint: unknown): unknown {
  if (typeof endpoint !== "object" || endpoint === null || Array.isArray(endpoint)) return endpoint;
  const { access, bot } = endpoint as { access?: unknown; bot?: unknown };
  return { ...endpoint, ...(access === "open" ? { access: { open: {} } } : {}), ...(bot === "none" ? { bot: { none: {} } } : {}) };
}
