import type { AttachmentContent, Availability, ConnectionFinding, EndReason, Json, Message, SurveyAnswers, User } from "@handover/core";
import type { NewAttachment, StoredAttachment } from "./attachments/put-attachment.ts";
import type { Entry } from "./entry.ts";
import type { QueueOptions } from "./queue/queue-options.ts";
import type { EraseResult } from "./erase-user.ts";
import type { ReceiptSignal } from "./receipts.ts";

/** Which conversation: the endpoint's token and the client's id (1 to 256 characters, any Unicode). */
export interface ConversationAddress {
  readonly endpoint: string;
  readonly conversation: string;
}

/** A message that a client sends. */
export interface IncomingMessage {
  /** Chosen by the client, unique in the conversation, 1 to 128 characters: the same id again does nothing. */
  readonly id: string;
  readonly text?: string;
  /** Ids of files that `putAttachment` has put into the conversation, within the last 23 hours. */
  readonly attachments?: readonly string[];
  /** Which choice was pressed, by the `seq` of the entry that offered it. */
  readonly answer?: { readonly seq: number; readonly choice: string };
}

/** Somebody types, or stopped. Never stored. */
export interface TypingSignal {
  readonly author: { readonly role: "user" | "agent" | "system" | "bot"; readonly name?: string };
  readonly isTyping: boolean;
}

/** What `checkConnections` found. */
export interface ConnectionReport {
  readonly connection: string;
  readonly provider: string;
  readonly findings: readonly ConnectionFinding[];
}

/** A configured connection. */
export interface ConnectionSummary {
  readonly name: string;
  readonly provider: string;
  readonly title: string;
  /** With its secret: never log it. Absent without a public URL, or where the connection takes no webhooks. */
  readonly webhookUrl?: string;
}

/** One number for a monitoring system. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The durable relay that a host embeds. Each conversation is an ordered log; users, bots and desks are readers and writers
 * of it. What a method has returned is committed.
 */
export interface HandoverRuntime {
  /**
   * Opens the store, checks it and begins to work. With `delivers: false` it takes up no conversation: for tools that only
   * look at the connections.
   * @throws RuntimeError `STORE_IN_USE` and whatever the store says
   */
  start(options?: { readonly delivers?: boolean }): Promise<void>;
  /** Finishes what is in flight, releases the conversations, closes connections and store. */
  stop(): Promise<void>;

  /**
   * Takes a message of the user. It goes to the bot, or to the desk while a handover runs.
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`, `INVALID_CONVERSATION`, `INVALID_MESSAGE`, `MESSAGE_EMPTY`,
   * `MESSAGE_TOO_LONG`, `TOO_MANY_ATTACHMENTS`, `UNKNOWN_ATTACHMENT`, `TOO_MANY_WAITING`, `OVERLOADED`,
   * `REDACTION_FAILED`
   */
  receiveMessage(
    request: ConversationAddress & { readonly message: IncomingMessage; readonly user?: User },
  ): Promise<{ readonly seq: number }>;

  /**
   * Keeps a file of the user, piece by piece. It goes nowhere before a message names it; without one it is deleted after a day. The
   * name loses folders and control characters; what says that it is a picture, and is none, becomes `application/octet-stream`.
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`, `INVALID_CONVERSATION`, `ATTACHMENT_TOO_LARGE` as soon as it is, `TOO_MANY_ATTACHMENTS`
   */
  putAttachment(request: ConversationAddress & NewAttachment): Promise<StoredAttachment>;

  /**
   * Opens a file of the conversation, by the id of an entry's attachment. One of the desk that is not here yet is fetched first. Cancel
   * a stream that you do not read to its end. What a bot gave as a link is not a file of the conversation.
   * @throws RuntimeError `ATTACHMENT_NOT_FOUND`, also for one of another conversation; `ATTACHMENT_NOT_READY` for now,
   * `ATTACHMENT_UNAVAILABLE` for good, when the desk does not give it
   */
  getAttachment(request: ConversationAddress & { readonly id: string }): Promise<AttachmentContent>;

  /**
   * Opens the file behind a link that a vendor or a bot was given: `<publicUrl>/files/<token>`. For whoever serves the public URL.
   * @throws RuntimeError `ATTACHMENT_NOT_FOUND` for a token that is not ours or has expired, and as `getAttachment` does
   */
  openAttachmentLink(token: string): Promise<AttachmentContent>;

  /**
   * Asks for a person. One that runs is kept: its id comes back, and its desk is told of other options or another user, where it
   * can be told. One that is about to end is waited for.
   * @param request.queue what this handover does differently from its endpoint while the user waits; `repeatHandoverMessage` likewise
   * @param request.transcript what was said before, where the log does not have it; only for a conversation without entries
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`, `HANDOVER_NOT_CONFIGURED`, `CHANNEL_UNSUPPORTED`, `HANDOVER_ENDING`;
   * InvalidConfigError for options
   */
  requestHandover(
    request: ConversationAddress & {
      readonly options?: Readonly<Record<string, Json>>;
      readonly transcript?: readonly Message[];
      readonly summary?: string;
      readonly user?: User;
      readonly queue?: QueueOptions;
      readonly repeatHandoverMessage?: boolean;
    },
  ): Promise<{ readonly handover: string }>;

  /**
   * Says whether a handover would find somebody now, by the endpoint's connections in the order of fallback. Answers within
   * `timing.availabilityTimeoutMs`; what cannot be learned is `unknown`. Answers are kept for a few seconds.
   * @param request.options as for `requestHandover`
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`; InvalidConfigError for options
   */
  checkAvailability(request: { readonly endpoint: string; readonly options?: Readonly<Record<string, Json>> }): Promise<Availability>;

  /**
   * Ends the handover that runs: `cancelled` before it was active, else `completed`, or the given reason.
   * @param request.closeHandoverInProvider false: only the user is given back. The contact centre's conversation stays open, and
   * whatever comes from it later is ignored. Default: true
   * @throws RuntimeError `NO_HANDOVER` when none runs
   */
  endHandover(
    request: ConversationAddress & {
      readonly reason?: EndReason;
      readonly actor?: "user" | "bot" | "system";
      readonly closeHandoverInProvider?: boolean;
    },
  ): Promise<{ readonly handover: string }>;

  /** The entries after `after` (default 0), then each new one, until the signal aborts. An unknown conversation is empty. */
  follow(request: ConversationAddress & { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<Entry>;

  /** Calls back for each typing sign of the other side. @returns how to stop */
  watchTyping(address: ConversationAddress, listener: (signal: TypingSignal) => void): () => void;

  /** Calls back when the desk says what became of a message of the user. Best effort; its entry says it too. @returns how to stop */
  watchReceipts(address: ConversationAddress, listener: (signal: ReceiptSignal) => void): () => void;

  /** Tells the desk that the user types. Best effort: throttled, dropped when no handover is active. */
  setTyping(request: ConversationAddress & { readonly isTyping: boolean }): Promise<void>;

  /**
   * Says that the user came or went, as this process sees it: with several, the user is there as long as one of them says so. The
   * desk is told of a change that has lasted for `presenceGraceMs`, while a handover is queued or active. No bot is run for it.
   */
  setPresence(request: ConversationAddress & { readonly isPresent: boolean }): Promise<void>;

  /**
   * Says that the user has read the conversation up to an entry. The desk is told of its messages among them, once. Best effort.
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`, `INVALID_CONVERSATION`; `INVALID_SEQ` beyond the end of the conversation
   */
  markRead(request: ConversationAddress & { readonly seq: number }): Promise<void>;

  /** Says that the user's device has an entry. Best effort, gathered; a push channel that takes an entry says it too. */
  markDelivered(request: ConversationAddress & { readonly seq: number }): void;

  /**
   * Takes the answers of a survey, also after its handover has ended. They are brought to the desk as a message is: `delivery` of
   * the entry that offered the survey says when. The same answers again are a success and change nothing.
   * @throws RuntimeError `ENDPOINT_NOT_FOUND`, `INVALID_CONVERSATION`, `SURVEY_NOT_FOUND`, `INVALID_SURVEY` for answers that do not
   * fit the questions, `SURVEY_ANSWERED` with other answers, `SURVEY_CLOSED`
   */
  submitSurvey(request: ConversationAddress & SurveyAnswers): Promise<void>;

  /**
   * Pushes each entry that users may see, in order per conversation, at least once: the cursor moves when the listener
   * resolves. What it rejects, or does not answer within `callTimeoutMs`, it gets again for `connectionRetryMs`; with an error
   * whose effect is `message`, for `messageRetryMs`, or not at all where that is not retryable. An entry that was given up is
   * still in the log, and a desk that wrote it is told, where it can be. One listener; set it before `start`.
   */
  onEntry(listener: (entry: Entry & ConversationAddress) => Promise<void>): void;

  /**
   * Takes a webhook of a vendor. The last path segment of the URL is compared with the connection's secrets. Answers once
   * everything is committed; an unknown connection looks like a wrong secret.
   */
  handleWebhook(connection: string, request: Request): Promise<Response>;

  /**
   * Erases a user: the content of all conversations (of one endpoint, or of all), and what providers remember of the user. Numbers
   * and ids stay, so that nothing comes twice. A handover that runs is ended first. May be repeated at any time.
   *
   * @param request.user the id of the user, as it came with messages and requests
   */
  eraseUser(request: { readonly endpoint?: string; readonly user: string }): Promise<EraseResult>;

  /** The connections as configured. */
  connections(): readonly ConnectionSummary[];
  /** Asks each connection (or one) to check itself against its vendor. */
  checkConnections(name?: string): Promise<readonly ConnectionReport[]>;
  /** Resolves when the store answers. */
  checkStore(): Promise<void>;
  /** Counters since the start of the process, and gauges. */
  metrics(): readonly Metric[];
}
