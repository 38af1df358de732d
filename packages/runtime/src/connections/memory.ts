import { HandoverError, type Cache, type Json, type Memory, type MemoryScope } from "@handover/core";
import type { Store } from "../store/store.ts";
import { setNewest } from "../support/set-newest.ts";

const maximumValueBytes = 4096;
const maximumCacheEntries = 10_000;

/** The durable memory of an account: its own values and those of each user. */
export function createMemory(store: Store, accountKey: string): Memory {
  return {
    account: createScope(store, `account:${accountKey}`),
    user: (userKey) => createScope(store, userScope(accountKey, userKey)),
  };
}

/** Where the store keeps what is remembered of a user of an account. */
export function userScope(accountKey: string, userKey: string): string {
  return `user:${accountKey}:${userKey}`;
}

function createScope(store: Store, scope: string): MemoryScope {
  return {
    get: (key) => store.readMemory(scope, key),
    set(key, value) {
      const size = Buffer.byteLength(JSON.stringify(value));
      if (size <= maximumValueBytes) return store.writeMemory(scope, key, value);
      throw new HandoverError({
        code: "MEMORY_VALUE_TOO_LARGE",
        message: `A value in a provider's memory has at most ${maximumValueBytes} bytes; "${key}" has ${size}. Keep it in the handover's state.`,
      });
    },
    delete: (key) => store.writeMemory(scope, key, undefined),
  };
}

/** Values in memory that go when their time is up, or when there are too many. */
export function createCache(clock: { now(): number }): Cache {
  const values = new Map<string, { readonly value: Json; readonly untilMs: number }>();
  return {
    get(key) {
      const found = values.get(key);
      if (found && found.untilMs > clock.now()) return found.value;
      values.delete(key);
      return undefined;
    },
    set(key, value, lifetimeMs) {
      setNewest(values, key, { value, untilMs: clock.now() + lifetimeMs }, maximumCacheEntries);
    },
    delete: (key) => void values.delete(key),
  };
}
