import type { Json, Reference } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import type {
  Commit,
  CommitResult,
  ConversationRecord,
  HandoverRecord,
  InboxRecord,
  JournalItem,
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
  /** Handovers of the conversation that have something left to do: the current one, and ended ones with loose ends. */
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

  /** Best effort, to all instances. */
  publish(topic: string, data: Json): void;
  /** @returns how to stop */
  subscribe(topic: string, listener: (data: Json) => void): () => void;
  /** Calls back with keys of conversations that changed, on this instance and, where the store can, on others. @returns how to stop */
  watch(listener: (conversation: string) => void): () => void;
  /** True when other processes may use the same store at the same time. */
  readonly isShared: boolean;
}
