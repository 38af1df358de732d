import { eightbyeightProvider } from "@handover/eightbyeight";
import { startSimulators } from "@handover/simulators";
import { describeHandoverProvider, type AbilityName } from "@handover/testkit";
import { afterAll } from "vitest";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { openKeyServer } from "./signing.ts";
import { createSimulatorBackend, watchEvents } from "./simulator-backend.ts";
import { expectKnownCalls } from "./wire-requests.ts";

const abilities: readonly AbilityName[] = [
  "planMessage",
  "sendMessage",
  "findSentMessage",
  "receiveWebhook",
  "translate",
  "end",
  "findStarted",
  "catchUp",
  "setTyping",
  "reportDelivery",
  "updateHandover",
  "downloadAttachment",
  "checkConnection",
  "checkAvailability",
  "close",
];

const { eightbyeight, close } = await startSimulators({ eightbyeight: { behaviour: { webhookRetryDelayMs: 0 } } });
const keys = await openKeyServer(() => eightbyeight.baseUrl);
const provider = watchEvents(eightbyeightProvider);
afterAll(async () => {
  expectKnownCalls(eightbyeight.requests(), eightbyeight.tenant);
  await close();
  await keys.close();
});

describeHandoverProvider({
  name: "8x8",
  provider,
  settings: {
    baseUrl: eightbyeight.baseUrl,
    apiKey: eightbyeight.apiKey,
    tenant: eightbyeight.tenant,
    channelId: eightbyeight.channelId,
    queueId: eightbyeight.queueId,
    // That of the tests signs what the suite makes up.
    jwkBaseUrl: keys.baseUrl,
    hasQueueStatistics: true,
    agentLeftGraceMs: 300,
  },
  options: { jsonProperties: { company: "Acme & Sons", additionalProperties: [{ key: "tier", value: "gold & more" }] } },
  backend: createSimulatorBackend(eightbyeight, provider),
  abilities,
  createStore: createSqliteStore,
});
