import type { Clock } from "@handover/core";
import { createConversations } from "./conversations.ts";
import type { Conversations } from "./conversations.ts";
import type { Database } from "./database.ts";
import { createEntries } from "./entries.ts";
import type { Entries } from "./entries.ts";
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

/** Each table with its statements. Writes of a conversation are functions of the schema. */
export interface Tables {
  readonly conversations: Conversations;
  readonly entries: Entries;
  readonly handovers: Handovers;
  readonly parts: Parts;
  readonly inbox: Inbox;
  readonly leases: Leases;
  readonly memory: MemoryTable;
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
  };
}
