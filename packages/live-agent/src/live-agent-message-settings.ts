import { z } from "zod";

const secret = z.string().min(1, "is empty").optional();
const host = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(\*\.)?[a-z0-9.-]+(:\d{1,5})?$/, 'must be the name of a host, perhaps with a port or "*." in front');

/** Settings about messages, files, signs and webhooks: a part of the connection's settings. */
export const messageSettings = {
  inboxIdentifier: z.string().trim().min(1, "is empty").optional().meta({
    title: "Inbox identifier",
    description:
      "Opens the public API of the inbox, by which agents see the user typing and reading; learned from the server where it is left out",
  }),
  accountWebhookSecret: secret.meta({
    title: "Account webhook secret",
    description: "The secret of a webhook of the whole account on the same URL (Chatwoot 4.12 and newer)",
    secret: true,
  }),
  agentBotSecret: secret.meta({
    title: "Agent bot secret",
    description: "The secret of an agent bot whose events come to the same URL (Chatwoot 4.13 and newer)",
    secret: true,
  }),
  deliverBotMessages: z.boolean().default(false).meta({
    title: "Deliver bot messages",
    description: "Show what bots of the desk write to the user, as messages of the system",
  }),
  deliverRepliesOnBehalf: z.boolean().default(false).meta({
    title: "Deliver replies on behalf of the user",
    description: "Show the user what an agent wrote in the user's name, as messages of the system",
  }),
  maxFileBytes: z
    .number()
    .int()
    .min(1)
    .max(200 * 1024 * 1024)
    .default(40 * 1024 * 1024)
    .meta({
      title: "Largest file",
      description:
        "Larger files are neither sent nor fetched, in bytes. Live Agent documents 40 MB; in Chatwoot the proxy in front decides",
    }),
  fileTypes: z.array(z.string().trim().toLowerCase()).optional().meta({
    title: "File types",
    description: 'Media types that the desk takes, "image/*" for all of a kind; left out, all are sent',
  }),
  fileHosts: z.array(host).default([]).meta({
    title: "File hosts",
    description:
      'Where the server keeps its files beside its own host, for example "*.s3.eu-central-1.amazonaws.com": links and redirects to other hosts are refused',
  }),
} as const;
