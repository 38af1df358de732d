import type { AttachmentContent, Clock, HandoverProvider, HttpDispatcher, Json, Logger, Random } from "@handover/core";
import type { AvailabilityOptions } from "./availability/availability-options.ts";
import type { Bot } from "./bot.ts";
import type { QueueOptions } from "./queue/queue-options.ts";
import type { RedactionOptions } from "./redaction/redaction-options.ts";
import type { Store } from "./store/store.ts";
import type { Texts } from "./texts.ts";

/** A clock that can also wake somebody up. */
export interface RuntimeClock extends Clock {
  /** Calls back once, after the delay; the result takes the timer away. A timer alone does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** One account of one vendor. */
export interface ConnectionOptions {
  /** Name of a loaded provider. */
  readonly provider: string;
  /** Checked against the provider's schema when the runtime is made. */
  readonly settings: unknown;
  /** Defaults of the provider's options for every handover through this connection. */
  readonly options?: Readonly<Record<string, Json>>;
  /**
   * Secrets that the webhook URL may end in, the first one being the current one; at most two. Without any, 128 random bits
   * are made at the first boot and kept in the store.
   */
  readonly webhookSecrets?: readonly string[];
  /** How many calls the vendor takes from this account, over all instances. Default: what the provider says. */
  readonly rateLimit?: { readonly calls: number; readonly perMs: number };
}

/** What an endpoint does when somebody asks for a person. */
export interface EndpointHandoverOptions {
  /** Names of connections, in order of fallback. */
  readonly connections: readonly string[];
  /** Options of the provider, or such objects by connection name. */
  readonly options?: Readonly<Record<string, Json>>;
  /** Words shown to the user; an empty text shows nothing. */
  readonly texts?: Partial<Texts>;
  /** How long a handover may wait until it is active. Default: no limit. */
  readonly acceptTimeoutMs?: number;
  /** What a waiting user is told about the queue. Default: what the vendor tells by itself; nothing is asked. */
  readonly queue?: QueueOptions;
  /** Shows the text `accepted` again each time the user writes while waiting in the queue. Default: false. */
  readonly repeatHandoverMessage?: boolean;
  /** Whether somebody is asked for before a handover starts, and what it means when nobody can tell. */
  readonly availability?: AvailabilityOptions;
  /** How long a handover whose messages the vendor carries itself (`relay: "none"`) stays open. Default: 24 hours. */
  readonly detachedAfterMs?: number;
  /**
   * How long the user may say nothing while the handover is active, in milliseconds; then it ends as `abandoned`. At most 30
   * days. Default: no limit.
   */
  readonly userIdleTimeoutMs?: number;
  /**
   * How long a message of the user may wait for an answer of the desk while the handover is active, in milliseconds; then it
   * ends as `timed-out`. At most 30 days. Default: no limit.
   */
  readonly agentIdleTimeoutMs?: number;
  /** Whether the desk is told when the user comes back. Default: true. */
  readonly connectsMessage?: boolean;
  /** Whether the desk is told when the user has gone away. Default: true. */
  readonly disconnectsMessage?: boolean;
  /**
   * Words that take the request back while nobody has answered, for channels without buttons: a message that is one of them, in
   * any case, and nothing else. Default: none.
   */
  readonly cancelWords?: readonly string[];
  /**
   * Who asks the user how it was: the contact centre (`vendor`, default), the `bot` (its `ended` event then says who served the
   * user, and when; what the contact centre offers is not shown), or nobody (`none`).
   */
  readonly surveys?: "vendor" | "bot" | "none";
}

/** One entry point of a bot on one channel. */
export interface EndpointOptions {
  /** Letters, digits, dash and underscore. */
  readonly token: string;
  readonly bot?: Bot;
  /** Absent: this endpoint has no people behind it, and a request is refused. */
  readonly handover?: EndpointHandoverOptions;
  /**
   * When the channel can be told something: at `any-time` (default), pushed to it or because it asks, or `answers-only`, as the
   * answer to what the user has just said. What a person writes in their own time cannot reach the user of such a channel, so a
   * request is refused there.
   */
  readonly channel?: "any-time" | "answers-only";
  /** Options that a client of the channel API may set, by name. Default: none. */
  readonly channelOptions?: readonly string[];
}

/** Times of the runtime, all in milliseconds. The defaults suit production. */
export interface Timing {
  /** Retries of a start that surely was not applied. Default 30 000. */
  readonly startTimeoutMs: number;
  /** How long a start in doubt waits for a sign of the vendor. Default 10 000. */
  readonly startDoubtMs: number;
  /** One call of the vendor. Default 15 000. */
  readonly callTimeoutMs: number;
  /** How long an error about one message may hold up a conversation. Default 60 000. */
  readonly messageRetryMs: number;
  /** How long an error of the connection, or "too many" about a message, may hold up a conversation. Default 900 000. */
  readonly connectionRetryMs: number;
  /** The first pause between two tries; it doubles up to `retryMaximumMs`, with jitter. Default 100. */
  readonly retryFirstMs: number;
  /** Default 30 000. */
  readonly retryMaximumMs: number;
  /** How long ordered deliveries wait for each other. Default 300. */
  readonly reorderWindowMs: number;
  /** How long to wait for the echo of a send without a clear outcome. Default 500. */
  readonly echoWaitMs: number;
  /** How often open handovers are compared with the vendor; four times as often while something is said. Default 60 000. */
  readonly catchUpIntervalMs: number;
  /** How long deliveries of unknown conversations are kept. Default 600 000. */
  readonly parkMs: number;
  /** One answer of a bot. Default 10 000. */
  readonly botTimeoutMs: number;
  /** How long a bot that does not answer is asked again. Default 60 000. */
  readonly botRetryMs: number;
  /** How long a conversation is held by one instance without renewal. Default 30 000. */
  readonly leaseMs: number;
  /**
   * A step of a conversation that has not come back after this time stands still for good: the conversation is taken up anew.
   * At least three times `callTimeoutMs` and `botTimeoutMs`, whatever is given. Default 60 000.
   */
  readonly stallMs: number;
  /** How often the store is asked for work that is due. Default 1 000. */
  readonly pollMs: number;
  /** The queue of a waiting user is asked for at most once in this time, whatever interval is wanted. Default 5 000. */
  readonly queueUpdateMinimumMs: number;
  /** How long whoever asks for the availability, and a start, wait for an answer. Default 3 000. */
  readonly availabilityTimeoutMs: number;
  /** How long what an agent says or does may wait for the agent's name. Default 1 000. */
  readonly agentProfileWaitMs: number;
  /** When a typing sign of the desk goes out by itself. Default 10 000. */
  readonly typingExpiryMs: number;
  /** Typing of the user is told to the desk at most once in this time. Default 3 000. */
  readonly typingThrottleMs: number;
  /** Fetching one file of the desk; never more than half of `stallMs`. Default 30 000. */
  readonly attachmentTimeoutMs: number;
  /** How long a link to a file is good for that a vendor or a bot is given. Default 24 hours. */
  readonly attachmentLinkMs: number;
  /** A user who is back within this time was not away. Default 30 000. */
  readonly presenceGraceMs: number;
  /** What the user has got and read is told to the desk at most once in this time. Default 1 000. */
  readonly receiptWindowMs: number;
}

/** Limits on what comes from outside. */
export interface Limits {
  /** Characters of one user message. Default 20 000. */
  readonly messageCharacters: number;
  /** Bytes of one webhook body. Default 1 MiB. */
  readonly webhookBytes: number;
  /** User messages of one conversation that wait for the desk. Default 1 000. */
  readonly waitingMessages: number;
  /** Messages of all conversations that wait for desks and bots. Default 100 000. */
  readonly waitingMessagesInAll: number;
  /** Deliveries of the vendor in one conversation's inbox. Default 10 000. */
  readonly inboxDeliveries: number;
  /** Deliveries in all inboxes. Default 200 000. */
  readonly inboxDeliveriesInAll: number;
  /** Deliveries of one account for which no handover is known. Default 10 000. */
  readonly parkedDeliveries: number;
  /** Such deliveries of all accounts. Default 50 000. */
  readonly parkedDeliveriesInAll: number;
  /** Conversations that one instance works on at once; others wait for their turn. Default 1 000. */
  readonly conversationsAtOnce: number;
  /** Calls of one account that one instance makes at once. Default 100. */
  readonly callsPerAccount: number;
  /** How many of them may only compare or poll. Default 8. */
  readonly comparisonsPerAccount: number;
  /** Bytes of one file, of either side. Default 25 MiB. */
  readonly attachmentBytes: number;
  /** Files of one message of a user or bot. Default 10. */
  readonly attachmentsPerMessage: number;
  /** Files that one conversation may have before its user can send no more. Default 500. */
  readonly attachmentsPerConversation: number;
  /** Bytes of all of them. Default 500 MiB. */
  readonly attachmentBytesPerConversation: number;
}

/** How long things are kept. */
export interface Retention {
  /** Content older than this is erased, except in conversations with an open handover. In milliseconds. */
  readonly contentMs: number;
}

/** What a runtime is made of. */
export interface HandoverRuntimeOptions {
  readonly store: Store;
  readonly providers: readonly HandoverProvider[];
  readonly connections: Readonly<Record<string, ConnectionOptions>>;
  readonly endpoints: readonly EndpointOptions[];
  /** Where vendors reach this host: webhook URLs are `<publicUrl>/handover/<provider>/<connection>/<secret>`. */
  readonly publicUrl?: string;
  /** The bot of every endpoint that has none of its own. */
  readonly bot?: Bot;
  readonly timing?: Partial<Timing>;
  readonly limits?: Partial<Limits>;
  /** Default: content is kept until somebody erases it. */
  readonly retention?: Retention;
  /** What takes out of texts what must not be kept or must not leave. Default: nothing is taken out. */
  readonly redact?: RedactionOptions;
  /** Where readers find a file: the `url` of attachments in entries. Without it only links that bots gave have one. */
  readonly attachmentUrl?: (file: { readonly endpoint: string; readonly conversation: string; readonly id: string }) => string;
  /**
   * Opens a file behind a link of others: of a bot, or of a desk whose connection cannot download. It must refuse addresses of the
   * host's own network, also where a redirect leads to one. Without it such files cannot be opened.
   */
  readonly fetchFile?: (url: string, call: { readonly signal: AbortSignal }) => Promise<AttachmentContent>;
  readonly clock?: RuntimeClock;
  readonly random?: Random;
  readonly dispatcher?: HttpDispatcher;
  readonly logger?: Logger;
}
