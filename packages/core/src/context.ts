import type { Logger } from "./call.ts";
import type { Json } from "./json.ts";

/** Where a provider gets the time from. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
}

/** Where a provider gets randomness from. */
export interface Random {
  bytes(count: number): Uint8Array;
  /** From 0 up to, not including, 1. */
  number(): number;
}

/**
 * Sends HTTP requests: an undici `Dispatcher`, typed loosely so that this package does not depend on undici. The HTTP client
 * of `@handover/provider-utils` takes it as it is.
 */
export interface HttpDispatcher {
  dispatch(options: never, handler: never): boolean;
}

/** Values in memory, bounded in number, that may be lost at any time: learned ids, tokens, feature probes. */
export interface Cache {
  get(key: string): Json | undefined;
  /** @param lifetimeMs after which the value is gone */
  set(key: string, value: Json, lifetimeMs: number): void;
  delete(key: string): void;
}

/** Small durable values (at most 4 KiB each), shared by all instances. The last writer wins. */
export interface MemoryScope {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Durable values of a connection's account, and of each user within it. */
export interface Memory {
  readonly account: MemoryScope;
  /** @param userKey the id of a verified user, or the id of the conversation where nobody vouches for the user */
  user(userKey: string): MemoryScope;
}

/** What a connection gets from its host. Nothing in it may be kept beyond `close`. */
export interface ProviderContext {
  /** Name of the connection in the host's configuration, for messages. */
  readonly connection: string;
  /** How to reach the vendor. Absent: the HTTP client makes its own. */
  readonly dispatcher?: HttpDispatcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * The URL under which the vendor reaches this connection, with its secret: never log it. Absent when the host has no public
   * URL.
   */
  readonly webhookUrl?: string;
  readonly cache: Cache;
  readonly memory: Memory;
}
