import type { Clock, Json } from "@handover/core";
import {
  createLocalBudgets,
  createLocalSignals,
  type Commit,
  type ConversationRecord,
  type HandoverRecord,
  type JournalItem,
  type LocalSignals,
  type NewDelivery,
  type PartRecord,
  type StoredEntry,
} from "@handover/runtime";

/** One conversation with its log and its claim. */
export interface ConversationRow {
  record: ConversationRecord;
  readonly entries: StoredEntry[];
  /** `seq` by source and id. */
  readonly entryNumbers: Map<string, number>;
  owner: string | undefined;
  fence: number;
  leaseUntilMs: number;
  dueAtMs: number | undefined;
}

/** What a store in memory keeps. */
export interface MemoryData {
  readonly conversations: Map<string, ConversationRow>;
  readonly handovers: Map<string, HandoverRecord>;
  /** By handover, in the order of planning. */
  readonly parts: Map<string, PartRecord[]>;
  /** Where a part with a key stands. */
  readonly partKeys: Map<string, string>;
  /** What waits; without a handover: parked. */
  inbox: { readonly number: number; readonly delivery: NewDelivery; handover: string | undefined }[];
  readonly deliveryIds: Set<string>;
  lastNumber: number;
  /** A process has it open for itself. */
  isInUse: boolean;
  readonly addresses: Map<string, string>;
  readonly memory: Map<string, Json>;
  readonly journal: JournalItem[];
  readonly budgets: ReturnType<typeof createLocalBudgets>;
  readonly signals: LocalSignals;
}

/** An empty database. */
export function createMemoryData(clock: Clock): MemoryData {
  return {
    conversations: new Map(),
    handovers: new Map(),
    parts: new Map(),
    partKeys: new Map(),
    inbox: [],
    deliveryIds: new Set(),
    lastNumber: 0,
    isInUse: false,
    addresses: new Map(),
    memory: new Map(),
    journal: [],
    budgets: createLocalBudgets(clock),
    signals: createLocalSignals(),
  };
}

/** A conversation without entries. */
export function newConversation(key: string, address: NonNullable<Commit["create"]> = { endpoint: "", conversation: "" }): ConversationRow {
  const { endpoint, conversation } = address;
  const counters = { version: 0, activity: 0, lastSeq: 0, botThrough: 0, pushedThrough: 0, handoverCount: 0 };
  return {
    record: { key, endpoint, conversation, ...counters },
    entries: [],
    entryNumbers: new Map(),
    owner: undefined,
    fence: 0,
    leaseUntilMs: 0,
    dueAtMs: undefined,
  };
}
