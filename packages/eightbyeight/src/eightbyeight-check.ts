import { HandoverError, ProviderApiError, type Call, type ConnectionFinding } from "@handover/core";
import { attempt, isFailure, type Failure } from "@handover/provider-utils";
import { webhookVersion } from "./eightbyeight-client.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";
import type { WireChannel, WireWebhook } from "./eightbyeight-wire.ts";

/** Checks the settings against 8x8, changing nothing. */
export async function checkConnection(parts: EightbyeightParts, call: Call): Promise<ConnectionFinding[]> {
  const { client, settings, context } = parts;
  const listed = await attempt(() => client.listChannels({ page: 0, size: 1 }, call.signal));
  if (isFailure(listed)) return [explain(listed, addressWrong(settings))];
  const findings = [ok("API_KEY_VALID", "The API Key opens the Chat Gateway."), ...checkTenant(settings)];

  const channel = await attempt(() => client.getChannel(settings.channelId, call.signal));
  if (isFailure(channel)) return [...findings, explain(channel, channelMissing)];
  findings.push(...checkChannel(channel, settings), ...(await checkStatistics(parts, channel, call)));

  if (channel.webHookId === undefined)
    return [...findings, error("WEBHOOK_MISSING", `The channel has no webhook: nothing that agents do is told. ${webhookCure}`)];
  const { webHookId } = channel;
  const webhook = await attempt(() => client.getWebhook(webHookId, call.signal));
  if (isFailure(webhook))
    return [...findings, explain(webhook, error("WEBHOOK_MISSING", `The channel's webhook does not exist any more. ${webhookCure}`))];
  return [...findings, ...checkWebhook(webhook, context.webhookUrl, settings)];
}

function checkTenant(settings: EightbyeightSettings): ConnectionFinding[] {
  if (!settings.verifySignature || (settings.expectedTenant ?? settings.tenant) !== undefined) return [];
  return [
    warning(
      "TENANT_NOT_NAMED",
      "Set expectedTenant (Home > Profile > Tenant Name): without it events of strangers are refused only by their conversation id.",
    ),
  ];
}

function checkChannel(channel: WireChannel, settings: EightbyeightSettings): ConnectionFinding[] {
  const findings: ConnectionFinding[] = [];
  if (channel.type !== undefined && channel.type !== "ChatAPI") {
    findings.push(
      error(
        "CHANNEL_NOT_CHAT_API",
        "The channel is not of the kind Chat API: conversations cannot be opened in it. Take one from Channels > Chat API.",
      ),
    );
  } else findings.push(ok("CHANNEL_FOUND", "The channel exists."));
  if (settings.queueId === undefined && channel.routingOptions?.id === undefined) {
    findings.push(error("QUEUE_MISSING", "The channel has no queue: choose one in the channel, or set 8x8 Queue Id."));
  }
  // The guides of Cognigy print the sentence about the key at the queue.
  if (settings.queueId !== undefined && (settings.queueId === settings.apiKey || /^eght_/.test(settings.queueId))) {
    findings.push(error("QUEUE_ID_IS_KEY", "8x8 Queue Id holds an API key: take the column Queue ID of the channel."));
  }
  return findings;
}

/** Without them availability would be unknown, and nobody would notice. */
async function checkStatistics(
  { client, settings }: EightbyeightParts,
  channel: WireChannel,
  call: Call,
): Promise<readonly ConnectionFinding[]> {
  const queueId = settings.queueId ?? channel.routingOptions?.id;
  if (!settings.hasQueueStatistics || queueId === undefined) return [];
  const counted = await attempt(() => client.countAgents(queueId, call.signal));
  if (!isFailure(counted)) return [];
  return [
    warning(
      "QUEUE_STATISTICS_UNREADABLE",
      "The statistics of the queue cannot be read, so nobody knows whether agents are there: check 8x8 Queue Id, attach their API product to the key, or set hasQueueStatistics to false.",
    ),
  ];
}

const webhookCure =
  "In Configuration Manager > Integration > Webhooks set the URL that handover check --webhooks prints, and choose that webhook in the channel.";

/** The URL holds a secret, so neither of the two is shown. */
function checkWebhook(webhook: WireWebhook, webhookUrl: string | undefined, settings: EightbyeightSettings): ConnectionFinding[] {
  const findings: ConnectionFinding[] = [];
  if (webhook.version !== undefined && webhook.version !== webhookVersion) {
    findings.push(
      error("WEBHOOK_VERSION", `The webhook's Chat API Version is not "${webhookVersion}": choose it in Integration > Webhooks.`),
    );
  }
  if (webhookUrl === undefined) {
    return [...findings, warning("WEBHOOK_UNCHECKED", "The host has no publicUrl, so the webhook URL cannot be compared.")];
  }
  const uri = comparable(webhook.uri ?? "");
  const own = comparable(webhookUrl);
  const needsSecret = !settings.verifySignature || settings.requireUrlSecret;
  if (uri === own) return [...findings, ok("WEBHOOK_SET", "The channel's webhook is that of this connection.")];
  if (uri === own.slice(0, own.lastIndexOf("/"))) {
    const finding = needsSecret
      ? error("WEBHOOK_WITHOUT_SECRET", `The webhook's URL lacks the secret that the settings ask for. ${webhookCure}`)
      : ok("WEBHOOK_SET", "The channel's webhook is that of this connection, without the secret part of the URL, which is allowed.");
    return [...findings, finding];
  }
  return [...findings, error("WEBHOOK_ELSEWHERE", `The channel's webhook leads elsewhere, or has an old secret. ${webhookCure}`)];
}

/** The provider's name in the path may be written in any case and with dashes; a slash at the end does not matter. */
function comparable(url: string): string {
  const trimmed = url.trim().replace(/\/+$/, "");
  return trimmed.replace(/\/handover\/([\w-]+)\//i, (_whole, name: string) => `/handover/${name.replaceAll(/[-_]/g, "").toLowerCase()}/`);
}

const channelMissing = error(
  "CHANNEL_NOT_FOUND",
  "There is no channel with this 8x8 Channel Id: take the column ID in Configuration Manager > Channels > Chat API, or check 8x8-Tenant. handover provision can make a channel.",
);

function addressWrong({ tenant }: EightbyeightSettings): ConnectionFinding {
  const hint = tenant === undefined ? "" : " or the 8x8-Tenant is unknown";
  return error("WRONG_ADDRESS", `The server answers, but not as the Chat Gateway: check Base URL (usually https://api.8x8.com)${hint}.`);
}

function explain({ error: cause }: Failure, whenMissing: ConnectionFinding): ConnectionFinding {
  if (!HandoverError.isInstance(cause)) return error("CHECK_FAILED", "The check itself failed.");
  const isMissing = ProviderApiError.isInstance(cause) && cause.status === 404;
  if (isMissing) return whenMissing;
  if (cause.code === "VENDOR_ANSWER_UNEXPECTED" || cause.code === "VENDOR_REDIRECTED") {
    return error("WRONG_ADDRESS", "The server answers, but not as the Chat Gateway: check Base URL (usually https://api.8x8.com).");
  }
  return error(cause.code, cause.message);
}

function ok(code: string, message: string): ConnectionFinding {
  return { level: "ok", code, message };
}
function warning(code: string, message: string): ConnectionFinding {
  return { level: "warning", code, message };
}
function error(code: string, message: string): ConnectionFinding {
  return { level: "error", code, message };
}
