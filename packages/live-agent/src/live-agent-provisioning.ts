import {
  HandoverError,
  parseConfig,
  type ProviderContext,
  type Provisioned,
  type Provisioning,
  type ProvisioningCall,
} from "@handover/core";
import { readPlatformEnvironment } from "./live-agent-environment.ts";
import { createPlatformClient } from "./live-agent-platform-client.ts";
import { provisioningInputSchema, type ProvisioningInput } from "./live-agent-provisioning-input.ts";
import { ensureInbox } from "./live-agent-provisioning-inbox.ts";
import { ensureAccount, ensureBot, ensureUser } from "./live-agent-provisioning-platform.ts";
import { readProgress, type Progress } from "./live-agent-provisioning-progress.ts";
import { createLiveAgentClient } from "./live-agent-client.ts";
import { liveAgentSettingsSchema } from "./live-agent-settings.ts";

/** Sets up the pre-configured account: account, technical user, its token, an API inbox with our webhook URL. Section 3.9. */
export const liveAgentProvisioning: Provisioning = {
  input: provisioningInputSchema,
  run: (input, context, call) => run(input as ProvisioningInput, context, call),
};

async function run(input: ProvisioningInput, context: ProviderContext, call: ProvisioningCall): Promise<Provisioned> {
  const environment = readPlatformEnvironment();
  if (!environment.isReady) {
    throw new HandoverError({
      code: "PLATFORM_NOT_CONFIGURED",
      message: `The pre-configured account ${environment.problem}.`,
      effect: "connection",
    });
  }
  const webhookUrl = requireWebhookUrl(context);
  const progress = await openProgress(input, context, call);
  const platform = createPlatformClient(environment, context);
  try {
    await ensureAccount(platform, input, progress, call);
    await ensureUser(platform, context, input, progress, call);
    if (input.withAgentBot) await ensureBot(platform, input, progress, call);
  } finally {
    await platform.close();
  }
  const { accountId = "", apiKey = "" } = progress.values;
  const settings = parseConfig(liveAgentSettingsSchema, { baseUrl: environment.baseUrl, accountId, apiKey }, "What provisioning made");
  const client = createLiveAgentClient(settings, context);
  try {
    await ensureInbox(client, { ...input, inboxName: input.inboxName ?? `Handover ${context.connection}`, webhookUrl }, progress, call);
  } finally {
    await client.close();
  }
  await context.memory.account.set(memoryKey(input), withoutSecrets(progress.values));
  return toResult(progress.values, webhookUrl);
}

/** Ids of an earlier run of this connection are known again, so that it makes nothing new; tokens are not kept here. */
async function openProgress(input: ProvisioningInput, context: ProviderContext, call: ProvisioningCall): Promise<Progress> {
  const { accountId, apiKey, inboxId } = input;
  const isOfThisAccount = (known: Progress["values"]): boolean => accountId === undefined || known.accountId === accountId;
  const [earlier, unfinished] = [await context.memory.account.get(memoryKey(input)), call.resume]
    .map(readProgress)
    .map((known) => (isOfThisAccount(known) ? known : {}));
  const given = { ...(accountId ? { accountId } : {}), ...(apiKey ? { apiKey } : {}), ...(inboxId ? { inboxId } : {}) };
  const values = { ...earlier, ...unfinished, ...given };
  return {
    values,
    async save(next) {
      Object.assign(values, next);
      await call.checkpoint({ ...values });
    },
  };
}

function memoryKey({ organisation }: ProvisioningInput): string {
  return `live-agent:provisioned:${organisation}`;
}

function withoutSecrets({ apiKey: _apiKey, ...ids }: Progress["values"]): Omit<Progress["values"], "apiKey"> {
  return ids;
}

/** Old servers refuse long URLs. */
const longestUrl = 255;

function requireWebhookUrl({ webhookUrl }: ProviderContext): string {
  if (webhookUrl === undefined) {
    throw new HandoverError({
      code: "PUBLIC_URL_MISSING",
      message: "Live Agent must know where to send its webhooks: set publicUrl in the host's configuration.",
      effect: "connection",
    });
  }
  if (webhookUrl.length <= longestUrl) return webhookUrl;
  throw new HandoverError({
    code: "WEBHOOK_URL_TOO_LONG",
    message: `The webhook URL is longer than the ${longestUrl} characters that Live Agent takes: shorten publicUrl or the connection's name.`,
    effect: "connection",
  });
}

function toResult(values: Progress["values"], webhookUrl: string): Provisioned {
  const { accountId = "", apiKey = "", inboxId = "", agentBotId, inboxIdentifier, signatureSecret } = values;
  return {
    settings: {
      usePlatformToken: true,
      accountId,
      platformApiKey: apiKey,
      inboxId,
      ...(agentBotId === undefined ? {} : { agentBotId }),
      ...(inboxIdentifier === undefined ? {} : { inboxIdentifier }),
      ...(signatureSecret === undefined ? {} : { signatureSecret }),
    },
    notes: [
      `Account ${accountId}, inbox ${inboxId}; its webhooks go to ${new URL(webhookUrl).host}.`,
      `Add agents under Settings > Inboxes > ${inboxId} > Collaborators, unless they are administrators.`,
    ],
  };
}
