import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock, Logger } from "@handover/core";
import { createLocalBudgets, createLocalSignals, RuntimeError } from "@handover/runtime";
import type { Store } from "@handover/runtime";
import { deleteBlob, putBlob, readBlob } from "./blob-transfer.ts";
import { applyCommit, applyReceive } from "./commit.ts";
import { erase, eraseDue, eraseMemory } from "./erase.ts";
import { createWriteQueue } from "./group-commit.ts";
import type { Touched, WriteQueue } from "./group-commit.ts";
import { stampVersion } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { toStoreError } from "./store-error.ts";
import { createTables } from "./tables.ts";
import type { Tables } from "./tables.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder is made when it is not there. */
  readonly path: string;
  /** The clock of the runtime, when that has one of its own. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly tables: Tables;
  readonly queue: WriteQueue;
}

/** The embedded store: one SQLite file, used by one process at a time. */
export function createSqliteStore({ path: givenPath, clock = { now: Date.now }, logger }: SqliteStoreOptions): Store {
  const path = resolve(givenPath);
  const signals = createLocalSignals(logger);
  const budgets = createLocalBudgets(clock);
  let opened: Opened | undefined;

  function open(): Opened {
    const database = openDatabase(path, logger);
    const toError = (error: unknown) => toStoreError(error, path);
    return { database, tables: createTables(database), queue: createWriteQueue(database, { onCommitted: signals.tellChanged, toError }) };
  }

  function requireOpened(): Opened {
    if (opened) return opened;
    throw notOpen();
  }

  function notOpen(): RuntimeError {
    return new RuntimeError("STORE_FAILED", `The store "${path}" is not open. Call open() first, and nothing after close().`);
  }

  async function read<Result>(from: (tables: Tables) => Result): Promise<Result> {
    const { tables } = requireOpened();
    try {
      return from(tables);
    } catch (error) {
      throw toStoreError(error, path);
    }
  }

  function write<Result>(change: (tables: Tables, touched: Touched) => Result): Promise<Result> {
    if (!opened) return Promise.reject(notOpen());
    const { queue, tables } = opened;
    return queue.add((touched) => change(tables, touched));
  }

  return {
    isShared: false,
    async open() {
      opened ??= open();
    },
    async close() {
      const closing = opened;
      opened = undefined;
      closing?.queue.finish();
      closing?.database.close();
    },
    async check() {
      const { database, queue } = requireOpened();
      await queue.add(() => stampVersion(database));
    },

    commit: (commit) => write((tables, touched) => applyCommit(tables, commit, clock.now(), touched)),
    receive: (deliveries) => write((tables, touched) => applyReceive(tables, deliveries, clock.now(), touched)),
    note: (items) => write((tables) => tables.journal.add(items)),

    readConversation: (key) => read((tables) => tables.conversations.read(key)),
    readEntries: (key, { after, limit }) => read((tables) => tables.entries.readAfter(key, after, limit)),
    findEntry: (key, source, id) => read((tables) => tables.entries.find(key, source, id)),
    readHandover: (id) => read((tables) => tables.handovers.read(id)),
    readOpenHandovers: (key) => read((tables) => tables.handovers.readOpen(key)),
    listOpenHandovers: ({ after = "", limit }) => read((tables) => tables.handovers.listOpen(after, limit)),
    findHandover: (accountKey, references) =>
      read((tables) => {
        const target = tables.addresses.find(accountKey, references);
        return target && tables.handovers.read(target.handover);
      }),
    readOpenParts: (handover, attempt) => read((tables) => tables.parts.readOpen(handover, attempt)),
    readParts: (handover, attempt, seq) => read((tables) => tables.parts.readOfEntry(handover, attempt, seq)),
    findPart: (handover, { key, vendorMessageId }) =>
      read((tables) => {
        if (key !== undefined) return tables.parts.findByKey(handover, key);
        return vendorMessageId === undefined ? undefined : tables.parts.findByVendorId(handover, vendorMessageId);
      }),
    readInbox: (conversation, limit) => read((tables) => tables.inbox.read(conversation, limit)),
    expireParked: (beforeMs) => write((tables) => tables.inbox.expireParked(beforeMs)),

    claim: (request) => write((tables) => tables.leases.claim(request)),
    renew: (claims, owner) =>
      read((tables) => claims.filter((claim) => !tables.leases.isHeld(claim, owner)).map(({ conversation }) => conversation)),
    release: (claim, request) => write((tables) => tables.leases.release(claim, request)),

    readMemory: (scope, key) => read((tables) => tables.memory.read(scope, key)),
    writeMemory: (scope, key, value) => write((tables) => tables.memory.write(scope, key, value)),
    claimMemory: (scope, key, value) => write((tables) => tables.memory.claim(scope, key, value)),

    putBlob: async (blob, content, limits) => putBlob(requireOpened(), blob, content, limits),
    readBlob: async (conversation, id) => readBlob(requireOpened(), conversation, id),
    deleteBlob: async (conversation, id) => deleteBlob(requireOpened(), conversation, id),
    listBlobs: (request) => read((tables) => tables.blobs.list(request)),

    listConversationsOfUser: (request) => read((tables) => tables.erasure.listOfUser(request)),
    erase: async (conversation) => erase(requireOpened(), conversation),
    eraseDue: async (request) => eraseDue(requireOpened(), request),
    eraseMemory: async (scopes) => eraseMemory(requireOpened(), scopes),

    // This process has the file for itself, so it need not write down what it takes.
    takeBudget: async (bucket, request) => budgets(bucket, request),
    countWaiting: (request) => read((tables) => tables.waiting.count(request)),

    // Later, as it would be on another instance: a publisher never runs inside a listener of its own.
    publish: (topic, data) => void setImmediate(() => signals.tellTopic(topic, data)),
    subscribe: signals.subscribe,
    watch: signals.watch,
  };
}
