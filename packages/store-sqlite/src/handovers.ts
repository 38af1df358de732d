import type { DatabaseSync } from "node:sqlite";
import { isOpenHandover, type HandoverRecord } from "@handover/runtime";

export interface Handovers {
  put(conversation: number, handover: HandoverRecord): void;
  /** The conversation that a handover belongs to. */
  conversationOf(id: string): number | undefined;
  read(id: string): HandoverRecord | undefined;
  readOpen(key: string): readonly HandoverRecord[];
  listOpen(after: string, limit: number): readonly HandoverRecord[];
}

interface Row {
  readonly json: string;
}

export function createHandovers(database: DatabaseSync): Handovers {
  const upsert = database.prepare(
    `INSERT INTO handovers (id, conversation, ordinal, is_open, json) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET ordinal = excluded.ordinal, is_open = excluded.is_open, json = excluded.json`,
  );
  const selectConversation = database.prepare("SELECT conversation FROM handovers WHERE id = ?");
  const select = database.prepare("SELECT json FROM handovers WHERE id = ?");
  const selectOpen = database.prepare(
    `SELECT handovers.json FROM handovers JOIN conversations ON conversations.id = handovers.conversation
     WHERE key = ? AND is_open = 1 ORDER BY ordinal`,
  );
  const selectAllOpen = database.prepare("SELECT json FROM handovers WHERE is_open = 1 AND id > ? ORDER BY id LIMIT ?");

  return {
    put(conversation, handover) {
      upsert.run(handover.id, conversation, handover.ordinal, isOpenHandover(handover) ? 1 : 0, JSON.stringify(handover));
    },
    conversationOf(id) {
      return (selectConversation.get(id) as { conversation: number } | undefined)?.conversation;
    },
    read(id) {
      const row = select.get(id) as Row | undefined;
      return row && toHandover(row);
    },
    readOpen(key) {
      return (selectOpen.all(key) as unknown as Row[]).map(toHandover);
    },
    listOpen(after, limit) {
      return (selectAllOpen.all(after, limit) as unknown as Row[]).map(toHandover);
    },
  };
}

function toHandover({ json }: Row): HandoverRecord {
  return JSON.parse(json) as HandoverRecord;
}
