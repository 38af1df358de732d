import type { Store, WaitingCounts } from "@handover/runtime";
import { toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

/** Counts what waits. Conversations with something to do are claimable at some time, so only these are looked at. */
export interface Waiting {
  count(request: Parameters<Store["countWaiting"]>[0]): Promise<WaitingCounts>;
}

interface Counts {
  readonly messages: number;
  readonly deliveries: number;
}

export function createWaiting(database: Database, schema: string): Waiting {
  const messages = (which: string): string => `(
    SELECT count(*) FROM ${schema}.conversations c
    LEFT JOIN ${schema}.handovers h ON h.id = c.current_handover
    CROSS JOIN LATERAL (SELECT
      CASE WHEN h.id IS NULL THEN c.bot_through ELSE (h.record -> 'attempt' ->> 'liveThrough')::bigint END AS seq,
      CASE WHEN h.id IS NULL THEN c.address ->> 'endpoint' = ANY ($1::text[])
        ELSE coalesce(h.record -> 'attempt' ->> 'relay', 'both') <> 'none' END AS has_reader) AS through
    JOIN ${schema}.entries e ON e.conversation = c.id AND e.seq > through.seq AND e.source = 'user'
    WHERE ${which} AND through.has_reader)`;
  const inAll = `SELECT ${messages("c.claimable_at IS NOT NULL")} AS messages,
    (SELECT count(*) FROM ${schema}.inbox WHERE record IS NOT NULL AND conversation IS NOT NULL) AS deliveries`;
  const inOne = `SELECT ${messages("c.key = $2")} AS messages,
    (SELECT count(*) FROM ${schema}.inbox WHERE record IS NOT NULL
      AND conversation = (SELECT id FROM ${schema}.conversations WHERE key = $2)) AS deliveries`;
  const parked = `SELECT record ->> 'accountKey' AS account, count FROM
      (SELECT min(number) AS first, count(*) AS count FROM ${schema}.inbox WHERE handover IS NULL GROUP BY account_key) AS grouped
    JOIN ${schema}.inbox ON inbox.number = grouped.first`;

  return {
    async count({ conversation, bots }) {
      if (conversation !== undefined) {
        const [one] = await database.query<Counts>(inOne, [bots, toLookupText(conversation)]);
        return { messages: one?.messages ?? 0, deliveries: one?.deliveries ?? 0, parked: {} };
      }
      const [all] = await database.query<Counts>(inAll, [bots]);
      const accounts = await database.query<{ account: string; count: number }>(parked);
      const byAccount = Object.fromEntries(accounts.map(({ account, count }) => [account, count]));
      return { messages: all?.messages ?? 0, deliveries: all?.deliveries ?? 0, parked: byAccount };
    },
  };
}
