import type { HandoverProvider } from "@handover/core";
import { catchUp } from "./eightbyeight-catch-up.ts";
import { checkConnection } from "./eightbyeight-check.ts";
import { createEightbyeightClient } from "./eightbyeight-client.ts";
import { end } from "./eightbyeight-end.ts";
import { downloadAttachment } from "./eightbyeight-files.ts";
import { createKeyRing } from "./eightbyeight-keys.ts";
import { findSentMessage, planMessage, sendMessage } from "./eightbyeight-messages.ts";
import { provisioning } from "./eightbyeight-provisioning.ts";
import {
  eightbyeightOptionsSchema,
  eightbyeightSettingsSchema,
  type EightbyeightOptions,
  type EightbyeightSettings,
} from "./eightbyeight-settings.ts";
import { checkAvailability, reportDelivery, setTyping } from "./eightbyeight-signals.ts";
import { findStarted, start } from "./eightbyeight-start.ts";
import { eightbyeightStateSchema, type EightbyeightState } from "./eightbyeight-state.ts";
import { translate } from "./eightbyeight-translate.ts";
import { updateHandover } from "./eightbyeight-update.ts";
import { receiveWebhook } from "./eightbyeight-webhook.ts";

/** 8x8 Contact Center, through its Chat Gateway v1. */
export const eightbyeightProvider: HandoverProvider<EightbyeightSettings, EightbyeightOptions, EightbyeightState> = {
  specificationVersion: "v1",
  name: "eightbyeight",
  title: "8x8 Contact Center",
  settings: eightbyeightSettingsSchema,
  options: eightbyeightOptionsSchema,
  state: { version: 1, schemas: { 1: eightbyeightStateSchema } },
  provisioning,
  connect(settings, context) {
    const client = createEightbyeightClient(settings, context);
    const keys = createKeyRing(settings, context);
    const parts = { settings, context, client, keys };
    return {
      accountKey: `${settings.baseUrl}|${settings.tenant ?? ""}`,
      start: (request, call) => start(parts, request, call),
      findStarted: (request, call) => findStarted(parts, request, call),
      planMessage: (_handover, message) => planMessage(settings, message),
      sendMessage: (handover, part, call) => sendMessage(parts, handover, part, call),
      findSentMessage: (handover, sent, call) => findSentMessage(client, context.clock, handover, sent, call),
      receiveWebhook: (request, call) => receiveWebhook(parts, request, call),
      translate: (handover, delivery) => translate(settings, handover, delivery),
      end: (handover, requested, call) => end(client, handover, requested, call),
      catchUp: (handover, cursor, call) => catchUp(client, context, handover, cursor, call),
      setTyping: (handover, isTyping, call) => setTyping(client, handover, isTyping, call),
      reportDelivery: (handover, report, call) => reportDelivery(client, context.clock, handover, report, call),
      updateHandover: (handover, change, call) => updateHandover(parts, handover, change, call),
      downloadAttachment: (handover, attachment, call) => downloadAttachment(parts, handover, attachment, call),
      checkConnection: (call) => checkConnection(parts, call),
      ...(settings.hasQueueStatistics ? { checkAvailability: (options, call) => checkAvailability(parts, options, call) } : {}),
      async close() {
        await Promise.all([client.close(), keys.close()]);
      },
    };
  },
};
