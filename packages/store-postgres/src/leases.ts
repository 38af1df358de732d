import type { Clock } from "@handover/core";
import type { Claim, Store } from "@handover/runtime";
import { fromColumnText, toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

/**
 * Leases by the database's clock. The runtime's clock only says how long it is until something is due: clocks of several machines
 * differ. A lease that ended is lost when somebody else has claimed, and not before.
 */
export interface Leases {
  claim: Store["claim"];
  renew: Store["renew"];
  release: Store["release"];
}

export function createLeases(database: Database, schema: string, clock: Clock): Leases {
  const claimStatement = `SELECT conversation, new_fence FROM ${schema}.claim_v1($1, $2, $3, $4)`;
  const renewStatement = `SELECT key FROM ${schema}.renew_v1($1, $2, $3, $4) AS held (key)`;
  const releaseStatement = `SELECT ${schema}.release_v1($1, $2, $3, $4) AS is_released`;

  return {
    async claim({ owner, leaseMs, limit, only }) {
      const candidates = only ? [...new Set(only.map(toLookupText))] : null;
      if (candidates?.length === 0) return [];
      const rows = await database.query<{ conversation: string; new_fence: number }>(claimStatement, [owner, leaseMs, limit, candidates]);
      return rows.map((row): Claim => ({ conversation: fromColumnText(row.conversation), fence: row.new_fence }));
    },
    async renew(claims, owner, leaseMs) {
      const keys = claims.map(({ conversation }) => toLookupText(conversation));
      const fences = claims.map(({ fence }) => fence);
      const rows = await database.query<{ key: string }>(renewStatement, [owner, leaseMs, keys, fences]);
      const held = new Set(rows.map(({ key }) => key));
      return claims.map(({ conversation }) => conversation).filter((conversation) => !held.has(toLookupText(conversation)));
    },
    async release({ conversation, fence }, { activity, dueAtMs }) {
      const delayMs = dueAtMs === null ? null : Math.max(0, dueAtMs - clock.now());
      const [row] = await database.query<{ is_released: boolean }>(releaseStatement, [
        toLookupText(conversation),
        fence,
        activity,
        delayMs,
      ]);
      return row?.is_released ?? true;
    },
  };
}
