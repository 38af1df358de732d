import { startSimulators } from "./start-simulators.ts";

const port = Number(process.env["HANDOVER_SIMULATORS_PORT"] ?? 4100);
const webhookUrl = process.env["HANDOVER_LIVE_AGENT_WEBHOOK_URL"];

// A host that kept its data still knows the ids of the last run, and a contact centre never gives one out twice.
const idOffset = Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 10_000);

const simulators = await startSimulators({ port, liveAgent: { idOffset, ...(webhookUrl ? { webhookUrl } : {}) } });
const { liveAgent } = simulators;
console.log(`Agent desk      ${simulators.url}/`);
console.log(`Live Agent API  ${liveAgent.baseUrl}  account ${liveAgent.accountId}, inbox ${liveAgent.inboxId}, key ${liveAgent.apiKey}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void simulators.close());
}
