import { liveAgentProvider } from "@handover/live-agent";
import { startSimulators } from "@handover/simulators";
import { describeHandoverProvider, type AbilityName } from "@handover/testkit";
import { afterAll } from "vitest";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { createSimulatorBackend } from "./simulator-backend.ts";

const signatureSecret = "conformance-signature-secret";
const abilities: readonly AbilityName[] = [
  "planMessage",
  "sendMessage",
  "findSentMessage",
  "receiveWebhook",
  "translate",
  "end",
  "findStarted",
  "catchUp",
  "checkConnection",
  "close",
];

for (const profile of ["live-agent", "4.15"] as const) {
  const { liveAgent, close } = await startSimulators({ liveAgent: { profile, messagesPerMinute: 10_000 } });
  afterAll(close);
  const isSigned = profile === "4.15";
  describeHandoverProvider({
    name: `Live Agent, profile ${profile}`,
    provider: liveAgentProvider,
    settings: {
      baseUrl: liveAgent.baseUrl,
      accountId: liveAgent.accountId,
      inboxId: liveAgent.inboxId,
      apiKey: liveAgent.apiKey,
      ...(isSigned ? { signatureSecret, requireSignature: true } : {}),
    },
    backend: createSimulatorBackend(liveAgent, isSigned ? signatureSecret : undefined),
    abilities,
    createStore: createSqliteStore,
  });
}
