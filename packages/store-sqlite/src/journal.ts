import type { DatabaseSync } from "node:sqlite";
import type { JournalItem } from "@handover/runtime";

/** Facts that no participant sees. */
export interface Journal {
  add(items: readonly JournalItem[], conversation?: string): void;
}

export function createJournal(database: DatabaseSync): Journal {
  const insert = database.prepare("INSERT INTO journal (at, conversation, json) VALUES (?, ?, ?)");
  return {
    add(items, conversation) {
      for (const item of items) {
        insert.run(Math.floor(item.atMs), item.conversation ?? conversation ?? null, JSON.stringify(item));
      }
    },
  };
}
