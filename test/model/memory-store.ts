import type { Clock } from "@handover/core";
import {
  isOpenHandover,
  RuntimeError,
  type HandoverRecord,
  type InboxRecord,
  type NewDelivery,
  type PartRecord,
  type Store,
} from "@handover/runtime";
import { applyCommit, applyReceive, entryKey, findHandover, partsOf } from "./memory-commit.ts";
import { createMemoryData, type ConversationRow, type MemoryData } from "./memory-data.ts";

/** How a store in memory is opened. */
export interface MemoryStoreOptions {
  /** What outlives the store: several stores on the same data are what several processes on one database are. */
  readonly data?: MemoryData;
  /** Claims last for their lease, by this clock. Without it one process has the data, and opening takes all claims away. */
  readonly leaseClock?: Clock;
  readonly clock?: Clock;
}

/** A store in memory that passes the published suite: fast, and what it holds outlives every runtime on it. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { leaseClock, clock = leaseClock ?? { now: Date.now } } = options;
  const { data = createMemoryData(clock) } = options;
  const { signals } = data;
  let isOpen = false;

  // Without an `await`: all of it has happened when the call returns.
  async function run<Result>(work: () => Result): Promise<Result> {
    if (!isOpen) throw new RuntimeError("STORE_FAILED", "The store is not open. Call open() first, and nothing after close().");
    return work();
  }

  /** What is written is copied first: a value that cannot be written leaves nothing to undo. */
  function write<Given, Result>(given: Given, work: (copy: Given, touched: Set<string>) => Result): Promise<Result> {
    return run(() => {
      const touched = new Set<string>();
      const result = work(copyOf(given), touched);
      signals.tellChanged(touched);
      return result;
    });
  }

  return {
    isShared: leaseClock !== undefined,
    async open() {
      if (!isOpen && !leaseClock) takeAll(data);
      isOpen = true;
    },
    async close() {
      if (isOpen && !leaseClock) data.isInUse = false;
      isOpen = false;
    },
    check: () => run(() => undefined),

    commit: (commit) => write(commit, (copy, touched) => applyCommit(data, copy, clock.now(), touched)),
    receive: (deliveries) => write(deliveries, (copy, touched) => applyReceive(data, copy, clock.now(), touched)),
    note: (items) => write(items, (copy) => void data.journal.push(...copy)),

    readConversation: (key) => run(() => data.conversations.get(key)?.record),
    readEntries: (key, { after, limit }) => run(() => data.conversations.get(key)?.entries.slice(after, after + limit) ?? []),
    findEntry: (key, source, id) =>
      run(() => {
        const row = data.conversations.get(key);
        return row?.entries[(row.entryNumbers.get(entryKey(source, id)) ?? 0) - 1];
      }),
    readHandover: (id) => run(() => data.handovers.get(id)),
    readOpenHandovers: (key) =>
      run(() => openHandovers(data, ({ conversation }) => conversation === key).sort((one, other) => one.ordinal - other.ordinal)),
    listOpenHandovers: ({ after = "", limit }) =>
      run(() =>
        openHandovers(data, ({ id }) => id > after)
          .sort((one, other) => (one.id < other.id ? -1 : 1))
          .slice(0, limit),
      ),
    findHandover: (accountKey, references) => run(() => findHandover(data, accountKey, references)),
    readOpenParts: (handover, attempt) => run(() => partsOf(data, handover).filter((part) => part.attempt === attempt && isOpenPart(part))),
    readParts: (handover, attempt, seq) =>
      run(() =>
        partsOf(data, handover)
          .filter((part) => part.attempt === attempt && part.seq === seq)
          .sort((one, other) => one.index - other.index),
      ),
    findPart: (handover, { key, vendorMessageId }) =>
      run(() => {
        if (key !== undefined) return partsOf(data, handover).find((part) => part.key === key);
        return partsOf(data, handover).findLast((part) => vendorMessageId !== undefined && part.vendorMessageId === vendorMessageId);
      }),
    readInbox: (conversation, limit) => run(() => waitingIn(data, conversation).slice(0, limit)),
    expireParked: (beforeMs) => run(() => expireParked(data, beforeMs)),

    claim: ({ owner, leaseMs, nowMs, limit, only }) =>
      run(() => {
        const leaseNowMs = leaseClock?.now() ?? -Infinity;
        const isFree = (row: ConversationRow) => row.owner === undefined || row.leaseUntilMs <= leaseNowMs;
        const rows = only
          ? [...new Set(only)].flatMap((key) => data.conversations.get(key) ?? []).filter((row) => isFree(row) || row.owner === owner)
          : [...data.conversations.values()]
              .filter((row) => isFree(row) && dueOf(row) <= nowMs)
              .sort((one, other) => dueOf(one) - dueOf(other));
        return rows.slice(0, limit).map((row) => {
          row.owner = owner;
          row.fence += 1;
          row.leaseUntilMs = leaseClock ? leaseNowMs + leaseMs : Infinity;
          return { conversation: row.record.key, fence: row.fence };
        });
      }),
    renew: (claims, owner, leaseMs) =>
      run(() =>
        claims.flatMap(({ conversation, fence }) => {
          const row = data.conversations.get(conversation);
          if (row?.owner !== owner || row.fence !== fence) return [conversation];
          row.leaseUntilMs = leaseClock ? leaseClock.now() + leaseMs : Infinity;
          return [];
        }),
      ),
    release: ({ conversation, fence }, { activity, dueAtMs }) =>
      run(() => {
        const row = data.conversations.get(conversation);
        if (row?.owner === undefined || row.fence !== fence) return true;
        if (row.record.activity !== activity) return false;
        Object.assign(row, { owner: undefined, dueAtMs: dueAtMs ?? undefined });
        return true;
      }),

    readMemory: (scope, key) => run(() => copyOf(data.memory.get(entryKey(scope, key)))),
    writeMemory: (scope, key, value) =>
      write(value, (copy) => {
        if (copy === undefined) data.memory.delete(entryKey(scope, key));
        else data.memory.set(entryKey(scope, key), copy);
      }),
    claimMemory: (scope, key, value) =>
      write(value, (copy) => {
        const name = entryKey(scope, key);
        const known = data.memory.get(name);
        if (known !== undefined) return known;
        data.memory.set(name, copy);
        return copy;
      }),

    putBlob: notModelled,
    readBlob: notModelled,
    deleteBlob: notModelled,
    listBlobs: () => run(() => []),
    listConversationsOfUser: notModelled,
    erase: notModelled,
    eraseDue: () => run(() => 0),
    eraseMemory: notModelled,

    takeBudget: (bucket, request) => run(() => data.budgets(bucket, request)),
    countWaiting: () => run(() => ({ messages: 0, deliveries: 0, parked: {} })),

    publish: (topic, json) => queueMicrotask(() => signals.tellTopic(topic, json)),
    subscribe: signals.subscribe,
    watch: signals.watch,
  };
}

/** One process has all of it: whoever had a claim before is gone. */
function takeAll(data: MemoryData): void {
  if (data.isInUse) throw new RuntimeError("STORE_IN_USE", "Another process uses the store.");
  data.isInUse = true;
  for (const row of data.conversations.values()) row.owner = undefined;
}

function notModelled(): never {
  throw new RuntimeError("STORE_FAILED", "Files and erasure are not part of this store.");
}

function copyOf<Value>(value: Value): Value {
  if (value === undefined) return value;
  try {
    return JSON.parse(JSON.stringify(value)) as Value;
  } catch (cause) {
    throw new RuntimeError("STORE_FAILED", "A value cannot be written down. Nothing was changed.", { cause });
  }
}

/** What is held is due when nobody has renewed it. */
function dueOf({ owner, leaseUntilMs, dueAtMs = Infinity }: ConversationRow): number {
  return owner === undefined ? dueAtMs : leaseUntilMs;
}

function openHandovers(data: MemoryData, fits: (handover: HandoverRecord) => boolean): HandoverRecord[] {
  return [...data.handovers.values()].filter((handover) => isOpenHandover(handover) && fits(handover));
}

function isOpenPart({ status }: PartRecord): boolean {
  return status === "planned" || status === "sending" || status === "unclear";
}

function waitingIn(data: MemoryData, conversation: string): InboxRecord[] {
  return data.inbox.flatMap(({ number, handover, delivery }) => {
    if (handover === undefined || data.handovers.get(handover)?.conversation !== conversation) return [];
    return [{ ...delivery, number, handover }];
  });
}

function expireParked(data: MemoryData, beforeMs: number): Pick<NewDelivery, "connection" | "references">[] {
  const isExpired = (row: MemoryData["inbox"][number]) => row.handover === undefined && row.delivery.receivedAtMs < Math.floor(beforeMs);
  const expired = data.inbox.filter(isExpired);
  data.inbox = data.inbox.filter((row) => !isExpired(row));
  for (const { delivery } of expired) if (delivery.id !== undefined) data.deliveryIds.delete(entryKey(delivery.accountKey, delivery.id));
  return expired.map(({ delivery: { connection, references } }) => ({ connection, references }));
}
