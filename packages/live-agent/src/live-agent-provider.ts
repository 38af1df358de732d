import type { HandoverProvider, RateLimit } from "@handover/core";
import { checkAvailability } from "./live-agent-availability.ts";
import { installationOf } from "./live-agent-base-url.ts";
import { catchUp } from "./live-agent-catch-up.ts";
import { findChanged } from "./live-agent-changes.ts";
import { checkConnection } from "./live-agent-check.ts";
import { createLiveAgentClient } from "./live-agent-client.ts";
import { createFiles, downloadAttachment } from "./live-agent-download.ts";
import { end } from "./live-agent-end.ts";
import { findSentMessage, planMessage, sendMessage } from "./live-agent-messages.ts";
import { setUserPresence } from "./live-agent-presence.ts";
import { createPublicInbox } from "./live-agent-public.ts";
import { liveAgentProvisioning } from "./live-agent-provisioning.ts";
import { getQueueStatuses } from "./live-agent-queue.ts";
import { reportDelivery } from "./live-agent-receipts.ts";
import { liveAgentOptionsSchema, liveAgentSettingsSchema, type LiveAgentOptions, type LiveAgentSettings } from "./live-agent-settings.ts";
import { findStarted, start } from "./live-agent-start.ts";
import { liveAgentStateSchema, type LiveAgentState } from "./live-agent-state.ts";
import { submitSurvey } from "./live-agent-survey.ts";
import { translate } from "./live-agent-translate.ts";
import { setTyping } from "./live-agent-typing.ts";
import { updateHandover } from "./live-agent-update.ts";
import { prepare } from "./live-agent-version.ts";
import { receiveWebhook } from "./live-agent-webhook.ts";

/**
 * Servers since 3.1 take 3000 requests per minute and address, which other programs may share; 1.19 to 3.0 take 300: there the
 * connection's own `rateLimit` is set lower. The costs are the requests of the longest usual way. Section 5 of the reference page.
 */
const rateLimit: RateLimit = {
  calls: 2_000,
  perMs: 60_000,
  costs: { start: 5, findStarted: 2, findSentMessage: 2, catchUp: 2, checkAvailability: 2, getQueueStatuses: 4 },
};

/** Cognigy Live Agent, and Chatwoot, from which it descends. */
export const liveAgentProvider: HandoverProvider<LiveAgentSettings, LiveAgentOptions, LiveAgentState> = {
  specificationVersion: "v1",
  name: "live-agent",
  title: "Cognigy Live Agent",
  settings: liveAgentSettingsSchema,
  options: liveAgentOptionsSchema,
  state: { version: 1, schemas: { 1: liveAgentStateSchema } },
  provisioning: liveAgentProvisioning,
  connect(settings, context) {
    const client = createLiveAgentClient(settings, context);
    const inbox = createPublicInbox({ settings, context, client });
    const files = createFiles(settings, context.logger);
    const parts = { settings, context, client, inbox, files };
    return {
      // The id that the API shows is counted per account.
      accountKey: `${installationOf(settings.baseUrl)}|${settings.accountId}`,
      rateLimit,
      start: (request, call) => start(parts, request, call),
      findStarted: (request, call) => findStarted(parts, request, call),
      planMessage: (_handover, message) => planMessage(message),
      sendMessage: (handover, part, call) => sendMessage(parts, handover, part, call),
      findSentMessage: (handover, sent, call) => findSentMessage(parts, handover, sent, call),
      receiveWebhook: async (request, call) => receiveWebhook(parts, request, call),
      translate: (handover, delivery) => translate(settings, handover, delivery),
      end: (handover, _end, call) => end(client, handover, call),
      catchUp: (handover, cursor, call) => catchUp(client, context.clock, handover, cursor, call),
      findChanged: (sinceMs, call) => findChanged(parts, sinceMs, call),
      checkAvailability: (options, call) => checkAvailability(parts, options, call),
      getQueueStatuses: (handovers, call) => getQueueStatuses(parts, handovers, call),
      updateHandover: (handover, change, call) => updateHandover(parts, handover, change, call),
      prepare: (call) => prepare(parts, call),
      downloadAttachment: (handover, attachment, call) => downloadAttachment(parts, handover, attachment, call),
      setTyping: (handover, isTyping, call) => setTyping(inbox, handover, isTyping, call),
      reportDelivery: (handover, report, call) => reportDelivery(parts, handover, report, call),
      setUserPresence: (handover, isPresent, call) => setUserPresence(client, context.clock, handover, isPresent, call),
      submitSurvey: (handover, answers, call) => submitSurvey(inbox, handover, answers, call),
      checkConnection: (call) => checkConnection(parts, call),
      async close() {
        await Promise.all([client.close(), inbox.close(), files.close()]);
      },
    };
  },
};
