import type { DatabaseSync } from "node:sqlite";
import type { Claim, Store } from "@handover/runtime";

/** The process holds the file, so a lease needs no clock: it lasts until it is given back or the store is opened again. */
export interface Leases {
  claim(request: Parameters<Store["claim"]>[0]): readonly Claim[];
  isHeld(claim: Claim, owner: string): boolean;
  release(claim: Claim, request: Parameters<Store["release"]>[1]): boolean;
}

export function createLeases(database: DatabaseSync): Leases {
  const selectDue = database.prepare("SELECT key FROM conversations WHERE due_at <= ? AND owner IS NULL ORDER BY due_at LIMIT ?");
  const take = database.prepare(
    "UPDATE conversations SET owner = ?1, fence = fence + 1 WHERE key = ?2 AND (owner IS NULL OR owner = ?1) RETURNING fence",
  );
  const selectHeld = database.prepare("SELECT activity, owner FROM conversations WHERE key = ? AND fence = ? AND owner IS NOT NULL");
  const giveBack = database.prepare("UPDATE conversations SET owner = NULL, due_at = ? WHERE key = ?");

  function held(claim: Claim): { activity: number; owner: string } | undefined {
    return selectHeld.get(claim.conversation, claim.fence) as { activity: number; owner: string } | undefined;
  }

  function claimOne(conversation: string, owner: string): Claim | undefined {
    const row = take.get(owner, conversation) as { fence: number } | undefined;
    return row && { conversation, fence: row.fence };
  }

  return {
    claim({ owner, nowMs, limit, only }) {
      const candidates = only ?? (selectDue.all(Math.floor(nowMs), limit) as unknown as { key: string }[]).map(({ key }) => key);
      const claims: Claim[] = [];
      for (const conversation of new Set(candidates)) {
        if (claims.length >= limit) break;
        const claim = claimOne(conversation, owner);
        if (claim) claims.push(claim);
      }
      return claims;
    },
    isHeld(claim, owner) {
      return held(claim)?.owner === owner;
    },
    release(claim, { activity, dueAtMs }) {
      const lease = held(claim);
      // Somebody else has it: nothing is left to do for this worker.
      if (!lease) return true;
      if (lease.activity !== activity) return false;
      giveBack.run(dueAtMs === null ? null : Math.ceil(dueAtMs), claim.conversation);
      return true;
    },
  };
}
