import { z } from "zod";
import { abilityNames } from "../../abilities.ts";

/** Settings of a connection to the test vendor. */
export const testVendorSettingsSchema = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).meta({ title: "API URL", description: "Where the API is, with its path." }),
  apiKey: z.string().min(1).meta({ title: "API key", description: "Settings, Integrations, New key.", secret: true }),
  webhookSecret: z.string().min(1).meta({ title: "Signing secret", description: "Webhooks are signed with it.", secret: true }),
  eventNumbers: z.enum(["dense", "sparse"]).default("dense").meta({
    title: "Event numbers",
    description: "Whether the numbers of a conversation's events go up by exactly one.",
  }),
  agentLeftGraceSeconds: z.number().int().positive().optional().meta({
    title: "Grace time",
    description: "The handover ends when nobody has come back this long after the last agent left. Empty: it stays open.",
  }),
  hasAccessTokens: z.boolean().default(false).meta({
    title: "Access tokens",
    description: "Calls carry an access token that is got with the key and renewed before it runs out, instead of the key.",
  }),
  abilities: z
    .array(z.enum(abilityNames))
    .optional()
    .meta({ title: "Abilities", description: "What the connection can do; everything when left out." }),
});

/** Checked settings. */
export type TestVendorSettings = z.output<typeof testVendorSettingsSchema>;

/** What a single handover may choose. */
export const testVendorOptionsSchema = z.strictObject({
  queue: z.string().optional().meta({ title: "Queue" }),
  skills: z.array(z.string()).optional().meta({ title: "Skills" }),
  priority: z.enum(["low", "normal", "high"]).optional().meta({ title: "Priority" }),
  relay: z.enum(["both", "none"]).optional().meta({ title: "Relay", description: "With none, the vendor talks to the user itself." }),
});

/** Checked options. */
export type TestVendorOptions = z.output<typeof testVendorOptionsSchema>;
