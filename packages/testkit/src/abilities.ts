import type { HandoverConnection } from "@handover/core";

/** An optional method of a connection: what a vendor may or may not be able to do. */
export type AbilityName = Exclude<keyof HandoverConnection, "accountKey" | "rateLimit" | "start">;

/** All abilities that the interface knows. */
export const abilityNames = [
  "planMessage",
  "sendMessage",
  "receiveWebhook",
  "translate",
  "end",
  "findStarted",
  "findSentMessage",
  "catchUp",
  "findChanged",
  "checkAvailability",
  "getQueueStatuses",
  "reportDelivery",
  "checkConnection",
  "setTyping",
  "setUserPresence",
  "submitSurvey",
  "updateHandover",
  "getAgentProfile",
  "downloadAttachment",
  "recognizeUserMessage",
  "prepare",
  "close",
] as const satisfies readonly AbilityName[];
