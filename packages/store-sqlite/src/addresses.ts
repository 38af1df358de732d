import type { DatabaseSync } from "node:sqlite";
import type { Reference } from "@handover/core";
import { toColumnText } from "./column-text.ts";

/** Whom a delivery is for. */
export interface Target {
  readonly handover: string;
  readonly conversation: number;
}

/** Which handover an account's reference belongs to. */
export interface Addresses {
  /** A reference that another handover had goes over: a user who comes back is the vendor's same user in a new handover. */
  put(accountKey: string, reference: Reference, handover: string): void;
  /** The first reference that is known counts. */
  find(accountKey: string, references: readonly Reference[]): Target | undefined;
}

export function createAddresses(database: DatabaseSync): Addresses {
  const upsert = database.prepare(
    `INSERT INTO addresses (account_key, reference, handover) VALUES (?, ?, ?)
     ON CONFLICT (account_key, reference) DO UPDATE SET handover = excluded.handover`,
  );
  const select = database.prepare(
    `SELECT handover, conversation FROM addresses JOIN handovers ON handovers.id = handover
     WHERE account_key = ? AND reference = ?`,
  );

  return {
    put(accountKey, reference, handover) {
      upsert.run(toColumnText(accountKey), toColumnText(reference), handover);
    },
    find(accountKey, references) {
      for (const reference of references) {
        const target = select.get(toColumnText(accountKey), toColumnText(reference)) as Target | undefined;
        if (target) return target;
      }
      return undefined;
    },
  };
}
