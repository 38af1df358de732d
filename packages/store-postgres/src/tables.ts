import type { Clock } from "@handover/core";
import { createBlobs } from "./blobs.ts";
import type { Blobs } from "./blobs.ts";
import { createBudgets } from "./budget.ts";
import type { Budgets } from "./budget.ts";
import { createConversations } from "./conversations.ts";
import type { Conversations } from "./conversations.ts";
import type { Database } from "./database.ts";
import { createEntries } from "./entries.ts";
import type { Entries } from "./entries.ts";
import { createErasure } from "./erasure.ts";
import type { Erasure } from "./erasure.ts";
import { createHandovers } from "./handovers.ts";
import type { Handovers } from "./handovers.ts";
import { createInbox } from "./inbox.ts";
import type { Inbox } from "./inbox.ts";
import { createLeases } from "./leases.ts";
import type { Leases } from "./leases.ts";
import { createMemory } from "./memory.ts";
import type { MemoryTable } from "./memory.ts";
import { createParts } from "./parts.ts";
import type { Parts } from "./parts.ts";
import { createWaiting } from "./waiting.ts";
import type { Waiting } from "./waiting.ts";

/** Each table with its statements. Writes of a conversation are functions of the schema. */
export interface Tables {
  readonly conversations: Conversations;
  readonly entries: Entries;
  readonly handovers: Handovers;
  readonly parts: Parts;
  readonly inbox: Inbox;
  readonly leases: Leases;
  readonly memory: MemoryTable;
  readonly blobs: Blobs;
  readonly erasure: Erasure;
  readonly budgets: Budgets;
  readonly waiting: Waiting;
}

/** `schema` is quoted. */
export function createTables(database: Database, schema: string, clock: Clock): Tables {
  return {
    conversations: createConversations(database, schema),
    entries: createEntries(database, schema),
    handovers: createHandovers(database, schema),
    parts: createParts(database, schema),
    inbox: createInbox(database, schema),
    leases: createLeases(database, schema, clock),
    memory: createMemory(database, schema),
    blobs: createBlobs(database, schema),
    erasure: createErasure(database, schema),
    budgets: createBudgets(database, schema),
    waiting: createWaiting(database, schema),
  };
}
