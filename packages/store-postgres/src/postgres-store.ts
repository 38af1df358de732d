import type { Clock, Json, Logger } from "@handover/core";
import { createLocalSignals } from "@handover/runtime";
import type { Commit, CommitResult, ReceiveResult, Store } from "@handover/runtime";
import { fromColumnText } from "./column-text.ts";
import { toCommitRequest, toReceiveRequest } from "./commit.ts";
import type { CommitAnswer } from "./commit.ts";
import { clientConfig, createDatabase, describeServer, storeNotOpen } from "./database.ts";
import type { Database } from "./database.ts";
import { createHintSession } from "./hint-session.ts";
import type { HintSession } from "./hint-session.ts";
import { toJournalItems } from "./journal.ts";
import { createKeyQueue } from "./key-queue.ts";
import { quoteSchema } from "./migrations.ts";
import { prepareDatabase, stamp } from "./open-database.ts";
import { toStoreError } from "./store-error.ts";
import { createTables } from "./tables.ts";
import type { Tables } from "./tables.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`. May lead through a transaction pooler. */
  readonly connectionString: string;
  /** Leads to the server itself, for the session that listens. Default: `connectionString`. */
  readonly listenConnectionString?: string;
  /** Made when it is not there. Default: `handover`. */
  readonly schema?: string;
  /** Connections for statements; one more listens. Default: 10. */
  readonly poolSize?: number;
  /** The clock of the runtime, when that has one of its own. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Opened {
  readonly database: Database;
  readonly tables: Tables;
  readonly hints: HintSession;
}

/** The store for several instances: one schema of a PostgreSQL database. */
export function createPostgresStore(options: PostgresStoreOptions): Store {
  const { connectionString, listenConnectionString = connectionString, schema = "handover", poolSize = 10, logger } = options;
  const quoted = quoteSchema(schema);
  const config = clientConfig(connectionString, "handover");
  const listenConfig = clientConfig(listenConnectionString, "handover-hints");
  const server = describeServer(config);
  const signals = createLocalSignals(logger);
  const commits = createKeyQueue();
  let opening: Promise<Opened> | undefined;
  let opened: Opened | undefined;

  async function open(): Promise<Opened> {
    await prepareDatabase(config, schema, logger);
    const hints = createHintSession(listenConfig, schema, signals, logger);
    await hints.open();
    const database = createDatabase(config, poolSize, logger);
    return { database, tables: createTables(database, quoted, options.clock ?? { now: Date.now }), hints };
  }

  function requireOpened(): Opened {
    if (opened) return opened;
    throw storeNotOpen();
  }

  async function read<Result>(from: (tables: Tables) => Promise<Result>): Promise<Result> {
    return from(requireOpened().tables);
  }

  /** Calls a function of the schema that takes a request and answers it. */
  async function call<Answer>({ database }: Opened, name: string, request: () => string): Promise<Answer> {
    const [row] = await database.query<{ answer: Answer }>(`SELECT ${quoted}.${name}($1) AS answer`, [written(request)]);
    return (row as { answer: Answer }).answer;
  }

  function written(request: () => string): string {
    try {
      return request();
    } catch (error) {
      throw toStoreError(error, server);
    }
  }

  function announce({ hints }: Opened, columns: readonly string[]): readonly string[] {
    const keys = columns.map(fromColumnText);
    signals.tellChanged(keys);
    hints.changed(keys);
    return keys;
  }

  async function commit(change: Commit): Promise<CommitResult> {
    const store = requireOpened();
    const request = written(() => toCommitRequest(schema, change));
    const { touched = [], ...result } = await commits.run(change.conversation, () => call<CommitAnswer>(store, "commit_v1", () => request));
    announce(store, touched);
    return result;
  }

  return {
    isShared: true,
    commit,
    async open() {
      opening ??= open();
      try {
        opened = await opening;
      } catch (error) {
        opening = undefined;
        throw error;
      }
    },
    async close() {
      if (!opened) await opening?.catch(() => undefined);
      const closing = opened;
      opened = undefined;
      opening = undefined;
      await commits.idle();
      await closing?.database.close();
      await closing?.hints.close();
    },
    async check() {
      await requireOpened().database.query(stamp(schema));
    },

    async receive(deliveries) {
      const store = requireOpened();
      const result = await call<ReceiveResult>(store, "receive_v1", () => toReceiveRequest(schema, deliveries));
      return { ...result, conversations: announce(store, result.conversations) };
    },
    async note(items) {
      const request = written(() => JSON.stringify(toJournalItems(items)));
      await requireOpened().database.query(`SELECT ${quoted}.note_v1($1, NULL)`, [request]);
    },

    readConversation: (key) => read((tables) => tables.conversations.read(key)),
    readEntries: (key, { after, limit }) => read((tables) => tables.entries.readAfter(key, after, limit)),
    findEntry: (key, source, id) => read((tables) => tables.entries.find(key, source, id)),
    readHandover: (id) => read((tables) => tables.handovers.read(id)),
    readOpenHandovers: (key) => read((tables) => tables.handovers.readOpen(key)),
    listOpenHandovers: ({ after = "", limit }) => read((tables) => tables.handovers.listOpen(after, limit)),
    findHandover: (accountKey, references) => read((tables) => tables.handovers.find(accountKey, references)),
    readOpenParts: (handover, attempt) => read((tables) => tables.parts.readOpen(handover, attempt)),
    readParts: (handover, attempt, seq) => read((tables) => tables.parts.readOfEntry(handover, attempt, seq)),
    findPart: (handover, { key, vendorMessageId }) =>
      read(async (tables) => {
        if (key !== undefined) return tables.parts.findByKey(handover, key);
        return vendorMessageId === undefined ? undefined : tables.parts.findByVendorId(handover, vendorMessageId);
      }),
    readInbox: (conversation, limit) => read((tables) => tables.inbox.read(conversation, limit)),
    expireParked: (beforeMs) => read((tables) => tables.inbox.expireParked(beforeMs)),

    claim: (request) => read((tables) => tables.leases.claim(request)),
    renew: (claims, owner, leaseMs, nowMs) => read((tables) => tables.leases.renew(claims, owner, leaseMs, nowMs)),
    release: (claim, request) => read((tables) => tables.leases.release(claim, request)),

    readMemory: (scope, key) => read((tables) => tables.memory.read(scope, key)),
    writeMemory: (scope, key, value) => read((tables) => tables.memory.write(scope, key, value)),
    claimMemory: (scope, key, value) => read((tables) => tables.memory.claim(scope, key, value)),

    async putBlob(blob, content, limits) {
      const { conversation, create } = blob;
      if (create) await commit({ conversation, create });
      return requireOpened().tables.blobs.put(blob, content, limits);
    },
    readBlob: (conversation, id) => read((tables) => tables.blobs.read(conversation, id)),
    deleteBlob: (conversation, id) => read((tables) => tables.blobs.delete(conversation, id)),
    listBlobs: (request) => read((tables) => tables.blobs.list(request)),

    listConversationsOfUser: (request) => read((tables) => tables.erasure.listOfUser(request)),
    erase: (conversation) => read((tables) => tables.erasure.erase(conversation)),
    eraseDue: (request) => read((tables) => tables.erasure.eraseDue(request)),
    eraseMemory: (scopes) => read((tables) => tables.erasure.eraseMemory(scopes)),

    takeBudget: (bucket, request) => read((tables) => tables.budgets.take(bucket, request)),
    countWaiting: (request) => read((tables) => tables.waiting.count(request)),

    publish(topic, data: Json) {
      // Later, as it is on another instance: a publisher never runs inside a listener of its own.
      setImmediate(() => signals.tellTopic(topic, data));
      opened?.hints.publish(topic, data);
    },
    subscribe: signals.subscribe,
    watch: signals.watch,
  };
}
