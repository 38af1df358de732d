import type { DatabaseSync } from "node:sqlite";
import { createAddresses } from "./addresses.ts";
import type { Addresses } from "./addresses.ts";
import { createBlobs } from "./blobs.ts";
import type { Blobs } from "./blobs.ts";
import { createConversations } from "./conversations.ts";
import type { Conversations } from "./conversations.ts";
import { createEntries } from "./entries.ts";
import type { Entries } from "./entries.ts";
import { createErasure } from "./erasure.ts";
import type { Erasure } from "./erasure.ts";
import { createHandovers } from "./handovers.ts";
import type { Handovers } from "./handovers.ts";
import { createInbox } from "./inbox.ts";
import type { Inbox } from "./inbox.ts";
import { createJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";
import { createLeases } from "./leases.ts";
import type { Leases } from "./leases.ts";
import { createMemory } from "./memory.ts";
import type { MemoryTable } from "./memory.ts";
import { createParts } from "./parts.ts";
import type { Parts } from "./parts.ts";
import { createWaiting } from "./waiting.ts";
import type { Waiting } from "./waiting.ts";

/** The statements of every table, prepared once. */
export interface Tables {
  readonly conversations: Conversations;
  readonly entries: Entries;
  readonly handovers: Handovers;
  readonly parts: Parts;
  readonly addresses: Addresses;
  readonly inbox: Inbox;
  readonly journal: Journal;
  readonly leases: Leases;
  readonly memory: MemoryTable;
  readonly blobs: Blobs;
  readonly erasure: Erasure;
  readonly waiting: Waiting;
}

export function createTables(database: DatabaseSync): Tables {
  const addresses = createAddresses(database);
  const blobs = createBlobs(database);
  return {
    conversations: createConversations(database),
    entries: createEntries(database),
    handovers: createHandovers(database),
    parts: createParts(database),
    addresses,
    inbox: createInbox(database, addresses),
    journal: createJournal(database),
    leases: createLeases(database),
    memory: createMemory(database),
    blobs,
    erasure: createErasure(database, blobs),
    waiting: createWaiting(database),
  };
}
