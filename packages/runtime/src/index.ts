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
  Retention,
  RuntimeClock,
  Timing,
} from "./options.ts";
export type { Bot, BotAnswer, BotAttachment, BotEvent, BotMessage, BotTurn } from "./bot.ts";
export type { NewAttachment, StoredAttachment } from "./attachments/put-attachment.ts";
export type { ByteSource } from "./attachments/byte-source.ts";
export { harmlessTypes } from "./attachments/media-type.ts";
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
export type { AvailabilityOptions } from "./availability/availability-options.ts";
export type { QueueOptions } from "./queue/queue-options.ts";
export type { Redact, RedactedText, RedactionOptions } from "./redaction/redaction-options.ts";
export { defaultTexts, endText } from "./texts.ts";
export type { Texts } from "./texts.ts";
export type { EraseResult } from "./erase-user.ts";
export type { ReceiptSignal } from "./receipts.ts";
export { defaultLimits, defaultTiming } from "./defaults.ts";
export { RuntimeError } from "./errors.ts";
export type { RuntimeErrorCode } from "./errors.ts";
export { createLocalBudgets } from "./store/budget.ts";
export type { BudgetGrant, BudgetRequest, WaitingCounts } from "./store/budget.ts";
export { createLocalSignals } from "./store/local-signals.ts";
export type { LocalSignals } from "./store/local-signals.ts";
export { blobPieces } from "./store/blob-pieces.ts";
export { amendEntry, deliveryOfRank, deliveryRank } from "./store/amend.ts";
export { isOpenHandover } from "./store/open-handover.ts";
export { maximumInactivityMinutes, whyNoTimer } from "./inactivity/inactivity-timer.ts";
export { entrySkeleton, handoverSkeleton, journalSkeleton, oldEntries, partSkeleton } from "./store/skeleton.ts";
export type { Claim, ReceiveResult, Store, StoredBlob } from "./store/store.ts";
export type {
  AttemptPhase,
  AttemptRecord,
  BlobRecord,
  Commit,
  CommitResult,
  ConversationPatch,
  ConversationRecord,
  DeskFileRecord,
  EndingRecord,
  EntryAmendment,
  HandoverRecord,
  IdleRecord,
  InactivityRecord,
  InboxRecord,
  JournalItem,
  NewBlob,
  NewDelivery,
  PartRecord,
  PartStatus,
  PresenceRecord,
  SurveyRecord,
} from "./store/records.ts";
