import type { InboxRecord, NewDelivery } from "@handover/runtime";
import { fromColumnText, toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

export interface Inbox {
  read(key: string, limit: number): Promise<readonly InboxRecord[]>;
  expireParked(beforeMs: number): Promise<readonly Pick<NewDelivery, "connection" | "references">[]>;
}

interface Row {
  readonly number: number;
  readonly handover: string;
  readonly record: NewDelivery;
}

export function createInbox(database: Database, schema: string): Inbox {
  const select = `SELECT number, handover, record FROM ${schema}.inbox
    WHERE conversation = (SELECT id FROM ${schema}.conversations WHERE key = $1) AND record IS NOT NULL ORDER BY number LIMIT $2`;
  // What is just being given to its handover is left alone.
  const expire = `DELETE FROM ${schema}.inbox WHERE number IN (
      SELECT number FROM ${schema}.inbox WHERE handover IS NULL AND received_at < $1 ORDER BY number FOR UPDATE SKIP LOCKED
    ) RETURNING number, record`;

  return {
    async read(key, limit) {
      const rows = await database.query<Row>(select, [toLookupText(key), limit]);
      return rows.map(({ number, handover, record }) => ({ ...record, number, handover: fromColumnText(handover) }));
    },
    async expireParked(beforeMs) {
      const rows = await database.query<Omit<Row, "handover">>(expire, [Math.floor(beforeMs)]);
      return [...rows]
        .sort((one, other) => one.number - other.number)
        .map(({ record: { connection, references } }) => ({ connection, references }));
    },
  };
}
