import type { Json, Reference } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import type { BudgetGrant, BudgetRequest, WaitingCounts } from "./budget.ts";
import type {
  BlobRecord,
  Commit,
  CommitResult,
  ConversationRecord,
  HandoverRecord,
  InboxRecord,
  JournalItem,
  NewBlob,
  NewDelivery,
  PartRecord,
} from "./records.ts";

/** A conversation that this instance may work on. */
export interface Claim {
  readonly conversation: string;
  /** Goes with every commit of the worker. */
  readonly fence: number;
}

/** What became of deliveries that came in. */
export interface ReceiveResult {
  /** Keys of conversations that now have something in their inbox. */
  readonly conversations: readonly string[];
  readonly added: number;
  readonly repeated: number;
  /** Deliveries for which no handover is known yet. */
  readonly parked: number;
}

/** A file and its bytes. */
export interface StoredBlob {
  readonly blob: BlobRecord;
  /** Reads on while it is iterated. @throws RuntimeError `STORE_FAILED` when the file is deleted meanwhile */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Where everything durable is kept. Every method that writes resolves when the change would survive the loss of power, and
 * rejects when nothing was changed. Reads see every commit that has resolved.
 */
export interface Store {
  /** Opens, migrates and locks. @throws RuntimeError `STORE_IN_USE`, `STORE_READ_ONLY`, `STORE_NEWER` */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store can be written to. */
  check(): Promise<void>;

  /** The one write of a conversation. */
  commit(commit: Commit): Promise<CommitResult>;
  /** Puts deliveries of one request in the inbox, all or none: known ids are skipped, unknown references are parked. */
  receive(deliveries: readonly NewDelivery[]): Promise<ReceiveResult>;
  /** Writes to the journal alone. */
  note(items: readonly JournalItem[]): Promise<void>;

  readConversation(key: string): Promise<ConversationRecord | undefined>;
  /** Entries after `after`, oldest first. */
  readEntries(key: string, range: { readonly after: number; readonly limit: number }): Promise<readonly StoredEntry[]>;
  /** `seq` of the entry with this source and id. */
  findEntry(key: string, source: string, id: string): Promise<StoredEntry | undefined>;
  readHandover(id: string): Promise<HandoverRecord | undefined>;
  /** Handovers of the conversation that have something left to do (see `isOpenHandover`): the current one, and ended ones with loose ends. */
  readOpenHandovers(key: string): Promise<readonly HandoverRecord[]>;
  /** Ids of all handovers that have not ended or have loose ends. */
  listOpenHandovers(range: { readonly after?: string; readonly limit: number }): Promise<readonly HandoverRecord[]>;
  /** The handover that an account's reference belongs to; the first reference that is known counts. */
  findHandover(accountKey: string, references: readonly Reference[]): Promise<HandoverRecord | undefined>;
  /** Parts of one attempt that are not dealt with, in the order of sending. */
  readOpenParts(handover: string, attempt: number): Promise<readonly PartRecord[]>;
  /** All parts of one entry. */
  readParts(handover: string, attempt: number, seq: number): Promise<readonly PartRecord[]>;
  findPart(handover: string, by: { readonly key?: string; readonly vendorMessageId?: string }): Promise<PartRecord | undefined>;
  /** What waits in the inbox of a conversation's handovers, in the order of arrival. */
  readInbox(conversation: string, limit: number): Promise<readonly InboxRecord[]>;
  /** Forgets parked deliveries that came before the time. @returns them, without payload */
  expireParked(beforeMs: number): Promise<readonly Pick<NewDelivery, "connection" | "references">[]>;

  /**
   * Takes conversations that are due and that nobody holds. `only` names candidates that need not be due.
   * The same owner may claim what it holds already and gets a new fence.
   */
  claim(request: {
    readonly owner: string;
    readonly leaseMs: number;
    readonly nowMs: number;
    readonly limit: number;
    readonly only?: readonly string[];
  }): Promise<readonly Claim[]>;
  /** Keeps claims. @returns the conversations that were lost */
  renew(claims: readonly Claim[], owner: string, leaseMs: number, nowMs: number): Promise<readonly string[]>;
  /**
   * Gives a conversation back and says when it is due again (`null`: when something happens). Refused (`false`) when its
   * `activity` is not the one given: there is more to do.
   */
  release(claim: Claim, request: { readonly activity: number; readonly dueAtMs: number | null }): Promise<boolean>;

  /** Small durable values. */
  readMemory(scope: string, key: string): Promise<Json | undefined>;
  /** `undefined` deletes. */
  writeMemory(scope: string, key: string, value: Json | undefined): Promise<void>;
  /** Writes only where nothing is. @returns the value that is there now */
  claimMemory(scope: string, key: string, value: Json): Promise<Json>;

  /**
   * Keeps a file. Reads the content piece by piece and holds little of it in memory; it can be read when all of it is there. The
   * first file with an id stays: another one is not read, and the one that is there comes back.
   *
   * @throws RuntimeError `ATTACHMENT_TOO_LARGE`, and then nothing is left of it; whatever the content throws
   */
  putBlob(blob: NewBlob, content: AsyncIterable<Uint8Array>, limits: { readonly maximumBytes: number }): Promise<BlobRecord>;
  /** @returns `undefined` when the conversation has no such file */
  readBlob(conversation: string, id: string): Promise<StoredBlob | undefined>;
  /** @returns whether it was there */
  deleteBlob(conversation: string, id: string): Promise<boolean>;
  /**
   * Complete files of one conversation (by key) or of all, by `createdAtMs`, the oldest first.
   * @param request.fromMs only those from this time on
   * @param request.beforeMs only those from before this time
   */
  listBlobs(request: {
    readonly conversation?: string;
    readonly fromMs?: number;
    readonly beforeMs?: number;
    readonly limit: number;
  }): Promise<readonly BlobRecord[]>;

  /** Keys of the conversations whose user has this id, in the order of keys. */
  listConversationsOfUser(request: {
    readonly user: string;
    /** Only conversations of this endpoint. */
    readonly endpoint?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly string[]>;
  /**
   * Takes the content of a conversation: texts, files, payloads of the inbox, options and provider state of its handovers, details
   * of the journal, the user. A skeleton stays (see `entrySkeleton`), so that numbers, message ids and delivery ids are known as
   * before. Carried out in pieces; after a crash the next call goes on.
   *
   * @returns `waiting` when a handover is open: nothing was taken, and `eraseDue` does it once that is over
   */
  erase(conversation: string): Promise<"erased" | "waiting">;
  /**
   * Erases what waits to be erased and, with `beforeMs`, content of before that time, as `erase` does. Conversations with an open
   * handover are left alone.
   *
   * @returns how many conversations were dealt with, at most `limit`; 0 when there is nothing left to do
   */
  eraseDue(request: { readonly beforeMs?: number; readonly limit: number }): Promise<number>;
  /** Deletes all values of these scopes. */
  eraseMemory(scopes: readonly string[]): Promise<void>;

  /**
   * Takes calls out of a bucket that all instances share, on the clock of the store (see `createLocalBudgets`). Need not survive
   * a crash.
   */
  takeBudget(bucket: string, request: BudgetRequest): Promise<BudgetGrant>;
  /**
   * How much waits to be dealt with, in one conversation (by key) or in all. For limits: called now and then.
   * @param request.bots endpoints that have a bot: elsewhere nobody waits for a message outside a handover
   */
  countWaiting(request: { readonly conversation?: string; readonly bots: readonly string[] }): Promise<WaitingCounts>;

  /** Best effort, to all instances. */
  publish(topic: string, data: Json): void;
  /** @returns how to stop */
  subscribe(topic: string, listener: (data: Json) => void): () => void;
  /** Calls back with keys of conversations that changed, on this instance and, where the store can, on others. @returns how to stop */
  watch(listener: (conversation: string) => void): () => void;
  /** True when other processes may use the same store at the same time. */
  readonly isShared: boolean;
}
