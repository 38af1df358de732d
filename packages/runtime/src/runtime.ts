import type { ConnectionFinding, EndReason, Json, Message, User } from "@handover/core";
import type { Entry } from "./entry.ts";
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
   * `MESSAGE_TOO_LONG`, `TOO_MANY_WAITING`, `OVERLOADED`
   */
  receiveMessage(
    request: ConversationAddress & { readonly message: IncomingMessage; readonly user?: User },
  ): Promise<{ readonly seq: number }>;

  /**
   * Asks for a person. One that runs is kept: its id comes back. One that is about to end is waited for.
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
    },
  ): Promise<{ readonly handover: string }>;

  /**
   * Ends the handover that runs: `cancelled` before it was active, else `completed`, or the given reason.
   * @throws RuntimeError `NO_HANDOVER` when none runs
   */
  endHandover(
    request: ConversationAddress & { readonly reason?: EndReason; readonly actor?: "user" | "bot" | "system" },
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
