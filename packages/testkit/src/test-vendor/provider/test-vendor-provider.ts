import type { HandoverConnection, HandoverEvent, HandoverProvider, Message, ProviderContext, QueueStatus } from "@handover/core";
import { abilityNames, type AbilityName } from "../../abilities.ts";
import { downloadAttachment } from "./test-vendor-attachments.ts";
import { catchUp } from "./test-vendor-catch-up.ts";
import { checkAvailability, checkConnection } from "./test-vendor-checks.ts";
import { createTestVendorClient } from "./test-vendor-client.ts";
import { findSentMessage, planMessage, sendMessage } from "./test-vendor-messages.ts";
import {
  testVendorOptionsSchema,
  testVendorSettingsSchema,
  type TestVendorOptions,
  type TestVendorSettings,
} from "./test-vendor-settings.ts";
import { findStarted, start } from "./test-vendor-start.ts";
import { testVendorState, type TestVendorState } from "./test-vendor-state.ts";
import { toQueue, translate } from "./test-vendor-translate.ts";
import { receiveWebhook } from "./test-vendor-webhook.ts";

/** The provider of the test vendor: it has every ability that the interface knows, and each can be switched off. */
export const testVendorProvider: HandoverProvider<TestVendorSettings, TestVendorOptions, TestVendorState> = {
  specificationVersion: "v1",
  name: "test-vendor",
  title: "Test Vendor",
  settings: testVendorSettingsSchema,
  options: testVendorOptionsSchema,
  state: testVendorState,
  connect: (settings, context) => withAbilities(connect(settings, context), settings),
};

type Connection = HandoverConnection<TestVendorOptions, TestVendorState>;

function connect(settings: TestVendorSettings, context: ProviderContext): Connection {
  const client = createTestVendorClient(settings, context);
  return {
    accountKey: settings.baseUrl,
    start: (request, call) => start(client, request, call),
    findStarted: (request, call) => findStarted(client, request, call),
    planMessage,
    sendMessage: (handover, part, call) => sendMessage(client, handover, part, call),
    findSentMessage: (handover, sent, call) => findSentMessage(client, handover, sent, call),
    receiveWebhook: async (request) => receiveWebhook(settings, request),
    translate: (handover, delivery) => translate(settings, handover, delivery),
    catchUp: (handover, cursor, call) => catchUp({ client, settings }, handover, cursor, call),
    async end({ state }, { reason, actor }, { signal }) {
      const by = actor === "user" ? "customer" : actor;
      await client.closeConversation({ conversation: state.conversation, json: { by, reason }, signal });
      return "ended";
    },
    async findChanged(sinceMs, { signal }) {
      const { items } = await client.findConversations({ changed_since: sinceMs }, signal);
      return items.map(({ id }) => `conversation:${id}`);
    },
    checkAvailability: (_options, call) => checkAvailability(client, call),
    checkConnection: (call) => checkConnection(client, call),
    async getQueueStatuses(handovers, { signal }) {
      const { items } = await client.getQueues(
        handovers.map(({ state }) => state.conversation),
        signal,
      );
      const byConversation = new Map(
        items.map((item): [string, QueueStatus] => [item.conversation, { ...toQueue(item.queue), validForMs: 5000 }]),
      );
      return new Map(handovers.flatMap(({ id, state }) => withValue(id, byConversation.get(state.conversation))));
    },
    reportDelivery: ({ state }, report, { signal }) =>
      client.signal("receipts", {
        conversation: state.conversation,
        json: { messages: report.vendorMessageIds, status: report.status, ...withUpTo(report.upToMs) },
        signal,
      }),
    setTyping: ({ state }, isTyping, { signal }) =>
      client.signal("typing", { conversation: state.conversation, json: { is_typing: isTyping }, signal }),
    setUserPresence: ({ state }, isPresent, { signal }) =>
      client.signal("presence", { conversation: state.conversation, json: { is_present: isPresent }, signal }),
    submitSurvey: ({ state }, answers, { signal }) => client.signal("survey", { conversation: state.conversation, json: answers, signal }),
    updateHandover: ({ state }, { user, options }, { signal }) =>
      client.changeConversation({ conversation: state.conversation, json: { customer: user, ...options }, signal }),
    async getAgentProfile(agentId, { signal }) {
      const { id, name, picture } = await client.getAgent(agentId, signal);
      return { id, name, ...(picture ? { avatarUrl: picture } : {}) };
    },
    downloadAttachment: (_handover, attachment, call) => downloadAttachment({ settings, context, client }, attachment, call),
    recognizeUserMessage: (_handover, message) => recognizeUserMessage(message),
    async prepare({ signal }) {
      await client.getAccount(signal);
    },
    close: () => client.close(),
  };
}

/** The vendor's own channel writes this word as if it were the user when nobody takes the conversation. */
function recognizeUserMessage(message: Message): HandoverEvent | undefined {
  if (message.text?.trim() !== "__test_vendor_escalation_failed__") return undefined;
  return { type: "ended", reason: "unavailable", actor: "system", vendorReason: "escalation-failed" };
}

/** An ability is a method that is there, so one that is switched off is taken away. */
function withAbilities(connection: Connection, settings: TestVendorSettings): Connection {
  const abilities: readonly AbilityName[] = settings.abilities ?? abilityNames;
  const isOff = (key: string): boolean => abilityNames.some((name) => name === key && !abilities.includes(name));
  return Object.fromEntries(Object.entries(connection).filter(([key]) => !isOff(key))) as unknown as Connection;
}

function withUpTo(upToMs: number | undefined): { upTo?: string } {
  return upToMs === undefined ? {} : { upTo: new Date(upToMs).toISOString() };
}

function withValue<Key, Value>(key: Key, value: Value | undefined): [Key, Value][] {
  return value === undefined ? [] : [[key, value]];
}
