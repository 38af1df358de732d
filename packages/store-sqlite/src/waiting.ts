import type { DatabaseSync } from "node:sqlite";
import type { Store, WaitingCounts } from "@handover/runtime";

/** Counts what waits. Conversations with something to do are due or held, so only these are looked at. */
export interface Waiting {
  count(request: Parameters<Store["countWaiting"]>[0]): WaitingCounts;
}

export function createWaiting(database: DatabaseSync): Waiting {
  const through = `CASE WHEN handovers.id IS NULL THEN json_extract(conversations.json, '$.botThrough')
    ELSE json_extract(handovers.json, '$.attempt.liveThrough') END`;
  const hasReader = `CASE WHEN handovers.id IS NULL
    THEN json_extract(conversations.json, '$.endpoint') IN (SELECT value FROM json_each(?1))
    ELSE coalesce(json_extract(handovers.json, '$.attempt.relay'), 'both') <> 'none' END`;
  const countMessages = (which: string): string => `
    SELECT count(*) AS count FROM conversations
    LEFT JOIN handovers ON handovers.id = json_extract(conversations.json, '$.currentHandover')
    JOIN entries ON entries.conversation = conversations.id AND entries.seq > ${through}
    WHERE ${which} AND ${hasReader} AND entries.source = 'user'`;
  // Two halves, so that each of the two partial indexes is used.
  const messages = database.prepare(
    `SELECT sum(count) AS count FROM (${countMessages("conversations.due_at IS NOT NULL AND conversations.owner IS NULL")}
     UNION ALL ${countMessages("conversations.owner IS NOT NULL")})`,
  );
  const messagesOfOne = database.prepare(countMessages("conversations.key = ?2"));
  const deliveries = database.prepare("SELECT count(*) AS count FROM inbox WHERE json IS NOT NULL AND conversation IS NOT NULL");
  const deliveriesOfOne = database.prepare(
    `SELECT count(*) AS count FROM inbox WHERE json IS NOT NULL AND conversation = (SELECT id FROM conversations WHERE key = ?)`,
  );
  const parked = database.prepare(
    `SELECT json_extract(inbox.json, '$.accountKey') AS account, count FROM
       (SELECT min(number) AS first, count(*) AS count FROM inbox WHERE handover IS NULL GROUP BY account_key)
     JOIN inbox ON inbox.number = first`,
  );

  return {
    count({ conversation, bots }) {
      const readers = JSON.stringify(bots);
      if (conversation !== undefined) {
        return {
          messages: countOf(messagesOfOne.get(readers, conversation)),
          deliveries: countOf(deliveriesOfOne.get(conversation)),
          parked: {},
        };
      }
      const accounts = parked.all() as unknown as { account: string; count: number }[];
      return {
        messages: countOf(messages.get(readers)),
        deliveries: countOf(deliveries.get()),
        parked: Object.fromEntries(accounts.map(({ account, count }) => [account, count])),
      };
    },
  };
}

function countOf(row: unknown): number {
  return (row as { count: number | null } | undefined)?.count ?? 0;
}
