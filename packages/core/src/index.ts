export type { Json } from "./json.ts";
export { isEmptyMessage } from "./message.ts";
export type { Answer, Attachment, Author, AuthorRole, Card, Choice, Message, TextFormat } from "./message.ts";
export type { EndActor, EndReason, Handover, HandoverStatus, Reference, User } from "./handover.ts";
export type {
  Agent,
  AgentJoinedEvent,
  AgentLeftEvent,
  AgentUpdatedEvent,
  DeliveryChangedEvent,
  DeliveryStatus,
  DeliveryTarget,
  DeskNoteEvent,
  EndedEvent,
  HandoverEvent,
  MessageChangedEvent,
  MessageEchoedEvent,
  MessageReceivedEvent,
  QueuedEvent,
  QueueInfo,
  QueueUpdatedEvent,
  ReopenedEvent,
  SurveyOfferedEvent,
  TransferredEvent,
  TypingChangedEvent,
} from "./event.ts";
export type { Survey, SurveyAnswers, SurveyQuestion } from "./survey.ts";
export { isWake } from "./delivery.ts";
export type { DeliveryOrder, Translation, VendorDelivery, Wake } from "./delivery.ts";
export type { RawRequest, ReceivedWebhook, WebhookResponse } from "./webhook.ts";
export type { AttachmentContent, Call, LogFields, Logger, StartCall, StartProgress, Tracer } from "./call.ts";
export type { Started, StartRequest, TranscriptEntry } from "./start.ts";
export type { Cache, Clock, HttpDispatcher, Memory, MemoryScope, ProviderContext, Random } from "./context.ts";
export type {
  Availability,
  CaughtUp,
  ConnectionFinding,
  DeliveryReport,
  HandoverChange,
  HandoverConnection,
  RateLimit,
  MessagePart,
  QueueStatus,
  RequestedEnd,
  SentPart,
} from "./connection.ts";
export type { HandoverProvider, Provisioned, Provisioning, ProvisioningCall, StateFormat } from "./provider.ts";
export { HandoverError } from "./errors/handover-error.ts";
export type { ErrorEffect, ErrorOutcome, HandoverErrorOptions } from "./errors/handover-error.ts";
export { formatPath, InvalidConfigError } from "./errors/invalid-config-error.ts";
export type { ConfigIssue } from "./errors/invalid-config-error.ts";
export {
  AuthenticationError,
  ConversationGoneError,
  ProviderApiError,
  RateLimitedError,
  StateIncompatibleError,
  UnavailableError,
  UnsupportedError,
} from "./errors/provider-errors.ts";
export type { ProviderApiErrorOptions } from "./errors/provider-errors.ts";
export { WebhookRefusedError } from "./errors/webhook-refused-error.ts";
export { PluginLoadingError, ProviderNotRegisteredError } from "./errors/plugin-errors.ts";
export type { PluginProblem, PluginProblemCode } from "./errors/plugin-errors.ts";
export { didYouMean } from "./did-you-mean.ts";
export { describeSettings, parseConfig, toConfigIssues } from "./settings.ts";
export type { JsonSchema, SettingsDescription } from "./settings.ts";
export { packState, unpackState } from "./state.ts";
export type { StoredState } from "./state.ts";
export { isHandoverProvider, supportedSpecificationVersions } from "./plugins/provider-shape.ts";
export { loadPlugins } from "./plugins/load-plugins.ts";
export type { LoadPluginsOptions, PluginEntry } from "./plugins/load-plugins.ts";
export { createPluginRegistry } from "./plugins/plugin-registry.ts";
export type { LoadedPlugin, PluginRegistry } from "./plugins/plugin-registry.ts";
