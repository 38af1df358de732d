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
  pollMs: 1_000,
  typingExpiryMs: 10_000,
  typingThrottleMs: 3_000,
};

/** The limits that suit production. */
export const defaultLimits: Limits = {
  messageCharacters: 20_000,
  webhookBytes: 1024 * 1024,
  waitingMessages: 1_000,
};
