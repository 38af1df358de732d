import { liveAgentProvider } from "@handover/live-agent";
import { startSimulators, type LiveAgentProfileName } from "@handover/simulators";
import { conformanceGroups, type AbilityName, type ConformanceOptions } from "@handover/testkit";
import { afterAll, describe, it } from "vitest";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { expectDocumented } from "./request-schemas.ts";
import { createSimulatorBackend } from "./simulator-backend.ts";

const signatureSecret = "conformance-signature-secret";

/** What a connection can do on every server: one that is missing fails, and so does one that is not listed. */
const abilities: readonly AbilityName[] = [
  "planMessage",
  "sendMessage",
  "findSentMessage",
  "receiveWebhook",
  "translate",
  "end",
  "findStarted",
  "catchUp",
  "findChanged",
  "checkAvailability",
  "getQueueStatuses",
  "updateHandover",
  "downloadAttachment",
  "setTyping",
  "setUserPresence",
  "reportDelivery",
  "submitSurvey",
  "checkConnection",
  "prepare",
  "close",
];

/** What a version cannot do, because its server does not tell. */
const beyond: Readonly<Partial<Record<LiveAgentProfileName, readonly RegExp[]>>> = {
  // Below 3.4 a message keeps no mark of ours, so nobody can say that it is there: versions.test.ts has what happens then.
  "2.16": [/^should send a message once although the answer was lost/],
  // Below 2.4 nobody is told that an agent came or went between two looks at the conversation.
  "1.19": [/^should send a message once although the answer was lost/, /^should wait again, or end once, when the last agent has left/],
};

/** Runs the conformance suite against one version of the server. Those since 4.13 sign. */
export async function describeProfile(profile: LiveAgentProfileName): Promise<void> {
  const { liveAgent, close } = await startSimulators({ liveAgent: { profile, messagesPerMinute: 10_000 } });
  afterAll(close);
  const isSigned = profile === "4.15";
  const options: ConformanceOptions = {
    name: `Live Agent, profile ${profile}`,
    provider: liveAgentProvider,
    settings: {
      baseUrl: liveAgent.baseUrl,
      accountId: liveAgent.accountId,
      inboxId: liveAgent.inboxId,
      apiKey: liveAgent.apiKey,
      fileTypes: ["image/*", "audio/*", "video/*", "text/*", "application/pdf"],
      ...(isSigned ? { signatureSecret, requireSignature: true } : {}),
    },
    // 1.19 and 2.16 have no priority.
    options: {
      customAttributes: { tier: "gold & more" },
      skills: ["returns & refunds"],
      languages: ["de-CH"],
      ...(profile === "1.19" || profile === "2.16" ? {} : { priority: "high" }),
    },
    backend: createSimulatorBackend(liveAgent, isSigned ? signatureSecret : undefined),
    abilities,
    createStore: createSqliteStore,
  };
  describe(`${options.name}: conformance`, () => {
    for (const { title, tests } of conformanceGroups(options)) {
      const possible = tests.filter(({ title: name }) => !beyond[profile]?.some((pattern) => pattern.test(name)));
      describe(title, () => {
        for (const test of possible) it(test.title, { timeout: 30_000 }, () => test.run());
      });
    }
    it("should have made requests as the vendor's tables say", () => expectDocumented(liveAgent.requests()));
  });
}
