import type { LiveAgentProfileName } from "./index.ts";
import { startSimulators } from "./start-simulators.ts";

const port = Number(process.env["HANDOVER_SIMULATORS_PORT"] ?? 4100);
const webhookUrl = process.env["HANDOVER_LIVE_AGENT_WEBHOOK_URL"];
const profile = process.env["HANDOVER_LIVE_AGENT_PROFILE"] as LiveAgentProfileName | undefined;
const eightbyeightWebhookUrl = process.env["HANDOVER_EIGHTBYEIGHT_WEBHOOK_URL"];

// A host that kept its data still knows the ids of the last run, and a contact centre never gives one out twice.
const idOffset = Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 10_000);

const simulators = await startSimulators({
  port,
  liveAgent: { idOffset, ...(webhookUrl ? { webhookUrl } : {}), ...(profile ? { profile } : {}) },
  ...(eightbyeightWebhookUrl ? { eightbyeight: { webhookUrl: eightbyeightWebhookUrl } } : {}),
});
const { liveAgent, eightbyeight } = simulators;
console.log(`Agent desk      ${simulators.url}/`);
console.log(`Live Agent API  ${liveAgent.baseUrl}  account ${liveAgent.accountId}, inbox ${liveAgent.inboxId}, key ${liveAgent.apiKey}`);
console.log(
  `8x8 API         ${eightbyeight.baseUrl}  channel ${eightbyeight.channelId}, queue ${eightbyeight.queueId}, key ${eightbyeight.apiKey}`,
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void simulators.close());
}
