import { HandoverError, ProviderApiError, type Json, type Provisioned, type Provisioning, type ProvisioningCall } from "@handover/core";
import { z } from "zod";
import { readPages } from "./eightbyeight-catch-up.ts";
import { createEightbyeightClient, webhookVersion, type EightbyeightClient } from "./eightbyeight-client.ts";
import { accountShape } from "./eightbyeight-settings.ts";
import type { Page, WireChannel, WireWebhook } from "./eightbyeight-wire.ts";

const inputSchema = z.strictObject({
  ...accountShape,
  queueId: z.string().trim().min(1, "is empty").meta({
    title: "8x8 Queue Id",
    description: "Configuration Manager > Queues/Skills > Queue List: the chat queue that the channel leads to",
  }),
  channelName: z.string().trim().min(1).max(255).default("Handover").meta({ title: "Name of the channel" }),
  webhookName: z.string().trim().min(1).max(255).default("Handover").meta({ title: "Name of the webhook" }),
  verifyWebhook: z.boolean().default(true).meta({
    title: "Verify the webhook",
    description: "8x8 calls the webhook URL first. Off where the host does not run meanwhile",
  }),
});
type Input = z.output<typeof inputSchema>;

const progressSchema = z.object({ webhookId: z.string().optional(), channelId: z.string().optional() });
type Progress = z.output<typeof progressSchema>;

const pageSize = 100;

/** Webhook and channel, as section 1.3 of the reference page says; what is there already is taken. */
export const provisioning: Provisioning = {
  input: inputSchema,
  async run(given, context, call) {
    const input = inputSchema.parse(given);
    const { webhookUrl } = context;
    if (webhookUrl === undefined) {
      throw new HandoverError({ code: "PUBLIC_URL_MISSING", message: "8x8 has to reach the host: set publicUrl in the configuration." });
    }
    const client = createEightbyeightClient(input, context);
    try {
      return await provision(client, input, webhookUrl, call);
    } finally {
      await client.close();
    }
  },
};

async function provision(client: EightbyeightClient, input: Input, uri: string, call: ProvisioningCall): Promise<Provisioned> {
  const notes: string[] = [];
  let progress = progressSchema.safeParse(call.resume).data ?? {};
  const save = async (step: Progress): Promise<void> => {
    progress = { ...progress, ...step };
    await call.checkpoint(JSON.parse(JSON.stringify(progress)) as Json);
  };
  // Listed each time: an answer that was lost on the last run left something behind, and somebody may have taken it away since.
  const webhook = await step("the webhook", async () => {
    const existing = (await listWebhooks(client, call)).find((one) => one.uri === uri && isOurVersion(one));
    notes.push(existing ? "The webhook was there already." : "A webhook was created.");
    return existing ?? createWebhook(client, input, uri, call);
  });
  await save({ webhookId: webhook.id });
  const channel = await step("the channel", async () => {
    const existing = (await listChannels(client, call)).find((one) => fits(one, webhook.id, input.queueId));
    notes.push(existing ? "The channel was there already." : "A channel was created.");
    return existing ?? client.createChannel(channelFields(input, webhook.id), call.signal);
  });
  await save({ channelId: channel.id });
  return { settings: settingsOf(input, channel.id), notes };
}

async function createWebhook(client: EightbyeightClient, input: Input, uri: string, call: ProvisioningCall): Promise<WireWebhook> {
  if (input.verifyWebhook) await verify(client, uri, call);
  const fields = { name: input.webhookName, uri, version: webhookVersion };
  try {
    return await client.createWebhook(fields, call.signal);
  } catch (error) {
    // 8x8's own definition asks for a field that is in no example (inferred).
    if (!ProviderApiError.isInstance(error) || error.status !== 400) throw error;
    return client.createWebhook({ ...fields, notificationVersion: webhookVersion }, call.signal);
  }
}

async function verify(client: EightbyeightClient, uri: string, call: ProvisioningCall): Promise<void> {
  try {
    await client.verifyWebhook(uri, call.signal);
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || error.status === undefined || error.status === 401 || error.status === 403) throw error;
    throw new HandoverError({
      code: "WEBHOOK_NOT_VERIFIED",
      message:
        "8x8 got no good answer from the webhook URL: the host has to run and to be reachable under publicUrl, or say --input verifyWebhook=false.",
      isRetryable: true,
      cause: error,
    });
  }
}

function channelFields({ channelName, queueId }: Input, webHookId: string): Readonly<Record<string, unknown>> {
  return { name: channelName, type: "ChatAPI", webHookId, routingOptions: { type: "queue", id: queueId } };
}

function fits(channel: WireChannel, webhookId: string, queueId: string): boolean {
  return channel.webHookId === webhookId && channel.routingOptions?.id === queueId && (channel.type ?? "ChatAPI") === "ChatAPI";
}

function isOurVersion({ version }: WireWebhook): boolean {
  return version === undefined || version === webhookVersion;
}

/** The key stays where it is: what is made is kept in the store, and in clear. */
function settingsOf({ baseUrl, tenant, queueId }: Input, channelId: string): Readonly<Record<string, Json>> {
  return { baseUrl, ...(tenant === undefined ? {} : { tenant }), channelId, queueId };
}

async function step<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!ProviderApiError.isInstance(error)) throw error;
    throw new HandoverError({
      code: error.code,
      message: `8x8 did not let ${what} be set up. ${error.message}`,
      isRetryable: error.isRetryable,
      effect: error.effect,
      cause: error,
    });
  }
}

const listWebhooks = (client: EightbyeightClient, call: ProvisioningCall): Promise<WireWebhook[]> =>
  readAll((page) => client.listWebhooks({ page, size: pageSize }, call.signal));
const listChannels = (client: EightbyeightClient, call: ProvisioningCall): Promise<WireChannel[]> =>
  readAll((page) => client.listChannels({ page, size: pageSize }, call.signal));

async function readAll<Item>(read: (page: number) => Promise<Page<Item>>): Promise<Item[]> {
  const all: Item[] = [];
  await readPages(read, (items) => {
    all.push(...items);
    return "go-on";
  });
  return all;
}
