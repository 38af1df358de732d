export { createHandoverRuntime } from "./create-runtime.ts";
export { readWebhookSecret } from "./connections/webhook-secrets.ts";
export type {
  ConnectionReport,
  ConnectionSummary,
  ConversationAddress,
  HandoverRuntime,
  IncomingMessage,
  Metric,
  TypingSignal,
} from "./runtime.ts";
export type {
  ConnectionOptions,
  EndpointHandoverOptions,
  EndpointOptions,
  HandoverRuntimeOptions,
  Limits,
  RuntimeClock,
  Timing,
} from "./options.ts";
export type { Bot, BotAnswer, BotEvent, BotMessage, BotTurn } from "./bot.ts";
export { entryFor } from "./entry.ts";
export type {
  Audience,
  Entry,
  EntryAttachment,
  EntryCause,
  HiddenEntry,
  NewEntry,
  NoticeEvent,
  StoredEntry,
  VisibleEntry,
} from "./entry.ts";
export { defaultTexts, endText } from "./texts.ts";
export type { Texts } from "./texts.ts";
export { RuntimeError } from "./errors.ts";
export type { RuntimeErrorCode } from "./errors.ts";
export { createLocalSignals } from "./store/local-signals.ts";
export type { LocalSignals } from "./store/local-signals.ts";
export type { Claim, ReceiveResult, Store } from "./store/store.ts";
export type {
  AttemptPhase,
  AttemptRecord,
  Commit,
  CommitResult,
  ConversationPatch,
  ConversationRecord,
  EndingRecord,
  HandoverRecord,
  InboxRecord,
  JournalItem,
  NewDelivery,
  PartRecord,
  PartStatus,
} from "./store/records.ts";
