import type { Clock, HandoverProvider, HttpDispatcher, Json, Logger, Random } from "@handover/core";
import type { Bot } from "./bot.ts";
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
  /** How long a handover whose messages the vendor carries itself (`relay: "none"`) stays open. Default: 24 hours. */
  readonly detachedAfterMs?: number;
}

/** One entry point of a bot on one channel. */
export interface EndpointOptions {
  /** Letters, digits, dash and underscore. */
  readonly token: string;
  readonly bot?: Bot;
  /** Absent: this endpoint has no people behind it, and a request is refused. */
  readonly handover?: EndpointHandoverOptions;
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
  /** How long an error of the connection may hold up a conversation. Default 900 000. */
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
  /** How often the store is asked for work that is due. Default 1 000. */
  readonly pollMs: number;
  /** When a typing sign of the desk goes out by itself. Default 10 000. */
  readonly typingExpiryMs: number;
  /** Typing of the user is told to the desk at most once in this time. Default 3 000. */
  readonly typingThrottleMs: number;
}

/** Limits on what comes from outside. */
export interface Limits {
  /** Characters of one user message. Default 20 000. */
  readonly messageCharacters: number;
  /** Bytes of one webhook body. Default 1 MiB. */
  readonly webhookBytes: number;
  /** User messages of one conversation that wait for the desk. Default 1 000. */
  readonly waitingMessages: number;
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
  readonly clock?: RuntimeClock;
  readonly random?: Random;
  readonly dispatcher?: HttpDispatcher;
  readonly logger?: Logger;
}
