import type { HandoverProvider, RateLimit } from "@handover/core";
import { catchUp } from "./live-agent-catch-up.ts";
import { checkConnection } from "./live-agent-check.ts";
import { createLiveAgentClient } from "./live-agent-client.ts";
import { end } from "./live-agent-end.ts";
import { findSentMessage, planMessage, sendMessage } from "./live-agent-messages.ts";
import { liveAgentOptionsSchema, liveAgentSettingsSchema, type LiveAgentOptions, type LiveAgentSettings } from "./live-agent-settings.ts";
import { findStarted, start } from "./live-agent-start.ts";
import { liveAgentStateSchema, type LiveAgentState } from "./live-agent-state.ts";
import { translate } from "./live-agent-translate.ts";
import { receiveWebhook } from "./live-agent-webhook.ts";

/**
 * Servers since 3.1 take 3000 requests per minute and address, which other programs may share; 1.19 to 3.0 take 300: there the
 * connection's own `rateLimit` is set lower. The costs are the requests of the longest usual way. Section 5 of the reference page.
 */
const rateLimit: RateLimit = {
  calls: 2_000,
  perMs: 60_000,
  costs: { start: 4, findStarted: 2, findSentMessage: 2, catchUp: 2 },
};

/** Cognigy Live Agent, and Chatwoot, from which it descends. */
export const liveAgentProvider: HandoverProvider<LiveAgentSettings, LiveAgentOptions, LiveAgentState> = {
  specificationVersion: "v1",
  name: "live-agent",
  title: "Cognigy Live Agent",
  settings: liveAgentSettingsSchema,
  options: liveAgentOptionsSchema,
  state: { version: 1, schemas: { 1: liveAgentStateSchema } },
  connect(settings, context) {
    const client = createLiveAgentClient(settings, context);
    const parts = { settings, context, client };
    return {
      // The id that the API shows is counted per account.
      accountKey: `${settings.baseUrl.replace(/\/api\/v1$/, "")}|${settings.accountId}`,
      rateLimit,
      start: (request, call) => start(parts, request, call),
      findStarted: (request, call) => findStarted(parts, request, call),
      planMessage: (_handover, message) => planMessage(message),
      sendMessage: (handover, part, call) => sendMessage(client, handover, part, call),
      findSentMessage: (handover, sent, call) => findSentMessage(client, handover, sent, call),
      receiveWebhook: async (request, call) => receiveWebhook(settings, context.clock, request, call),
      translate: (handover, delivery) => translate(settings, handover, delivery),
      end: (handover, _end, call) => end(client, handover, call),
      catchUp: (handover, cursor, call) => catchUp(client, context.clock, handover, cursor, call),
      checkConnection: (call) => checkConnection(parts, call),
      close: () => client.close(),
    };
  },
};
