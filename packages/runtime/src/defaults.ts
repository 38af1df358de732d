import type { Limits, Timing } from "./options.ts";

/** The times that suit production. */
export const defaultTiming: Timing = {
  startTimeoutMs: 30_000,
  startDoubtMs: 10_000,
  callTimeoutMs: 15_000,
  messageRetryMs: 60_000,
  connectionRetryMs: 900_000,
  retryFirstMs: 100,
  retryMaximumMs: 30_000,
  reorderWindowMs: 300,
  echoWaitMs: 500,
  catchUpIntervalMs: 60_000,
  parkMs: 600_000,
  botTimeoutMs: 10_000,
  botRetryMs: 60_000,
  leaseMs: 30_000,
  stallMs: 60_000,
  pollMs: 1_000,
  queueUpdateMinimumMs: 5_000,
  availabilityTimeoutMs: 3_000,
  agentProfileWaitMs: 1_000,
  typingExpiryMs: 10_000,
  typingThrottleMs: 3_000,
  attachmentTimeoutMs: 30_000,
  attachmentLinkMs: 86_400_000,
  presenceGraceMs: 30_000,
  receiptWindowMs: 1_000,
};

/** All times of a runtime. A step that makes a call or two and waits for them is no step that hangs. */
export function completeTiming(given: Partial<Timing> = {}): Timing {
  const timing = { ...defaultTiming, ...given };
  return { ...timing, stallMs: Math.max(timing.stallMs, 3 * timing.callTimeoutMs, 3 * timing.botTimeoutMs) };
}

/** The limits that suit production. */
export const defaultLimits: Limits = {
  messageCharacters: 20_000,
  webhookBytes: 1024 * 1024,
  waitingMessages: 1_000,
  waitingMessagesInAll: 100_000,
  inboxDeliveries: 10_000,
  inboxDeliveriesInAll: 200_000,
  parkedDeliveries: 10_000,
  parkedDeliveriesInAll: 50_000,
  conversationsAtOnce: 1_000,
  callsPerAccount: 100,
  comparisonsPerAccount: 8,
  attachmentBytes: 25 * 1024 * 1024,
  attachmentsPerMessage: 10,
  attachmentsPerConversation: 500,
  attachmentBytesPerConversation: 500 * 1024 * 1024,
};
