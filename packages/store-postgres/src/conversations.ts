import type { ConversationRecord } from "@handover/runtime";
import { fromColumnText, toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

interface Row {
  readonly address: Pick<ConversationRecord, "endpoint" | "conversation">;
  readonly version: number;
  readonly activity: number;
  readonly last_seq: number;
  readonly bot_through: number;
  readonly pushed_through: number;
  readonly handover_count: number;
  readonly current_handover: string | null;
  readonly last_handover: string | null;
  readonly user_record: ConversationRecord["user"] | null;
  readonly bot_retry: ConversationRecord["botRetry"] | null;
}

export interface Conversations {
  read(key: string): Promise<ConversationRecord | undefined>;
}

export function createConversations(database: Database, schema: string): Conversations {
  const select = `SELECT address, version, activity, last_seq, bot_through, pushed_through, handover_count, current_handover,
    last_handover, user_record, bot_retry FROM ${schema}.conversations WHERE key = $1`;

  return {
    async read(key) {
      const [row] = await database.query<Row>(select, [toLookupText(key)]);
      return row && toConversation(key, row);
    },
  };
}

function toConversation(key: string, row: Row): ConversationRecord {
  return {
    key,
    ...row.address,
    version: row.version,
    activity: row.activity,
    lastSeq: row.last_seq,
    ...(row.user_record ? { user: row.user_record } : {}),
    botThrough: row.bot_through,
    ...(row.bot_retry ? { botRetry: row.bot_retry } : {}),
    pushedThrough: row.pushed_through,
    handoverCount: row.handover_count,
    ...(row.current_handover === null ? {} : { currentHandover: fromColumnText(row.current_handover) }),
    ...(row.last_handover === null ? {} : { lastHandover: fromColumnText(row.last_handover) }),
  };
}
