import type { DatabaseSync } from "node:sqlite";
import type { InboxRecord, NewDelivery } from "@handover/runtime";
import type { Addresses } from "./addresses.ts";
import { toColumnText } from "./column-text.ts";

/** Where a delivery went. */
export type Received =
  { readonly kind: "added"; readonly conversation: number } | { readonly kind: "repeated" } | { readonly kind: "parked" };

export interface Inbox {
  receive(delivery: NewDelivery): Received;
  /** Gives parked deliveries to the handovers that have become known. @returns the conversations that got some */
  unpark(accountKey: string, references: readonly string[]): ReadonlySet<number>;
  /** @returns how many were still waiting */
  consume(conversation: number, numbers: readonly number[]): number;
  read(key: string, limit: number): readonly InboxRecord[];
  expireParked(beforeMs: number): readonly Pick<NewDelivery, "connection" | "references">[];
}

export function createInbox(database: DatabaseSync, addresses: Addresses): Inbox {
  const insert = database.prepare(
    `INSERT INTO inbox (account_key, delivery_id, handover, conversation, received_at, json) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (account_key, delivery_id) WHERE delivery_id IS NOT NULL DO NOTHING`,
  );
  const select = database.prepare(
    `SELECT inbox.number, handover, inbox.json FROM inbox JOIN conversations ON conversations.id = inbox.conversation
     WHERE key = ? AND inbox.json IS NOT NULL AND inbox.conversation IS NOT NULL ORDER BY inbox.number LIMIT ?`,
  );
  const clear = database.prepare(
    "UPDATE inbox SET json = NULL WHERE number = ? AND conversation = ? AND json IS NOT NULL AND delivery_id IS NOT NULL",
  );
  const removeUnnamed = database.prepare("DELETE FROM inbox WHERE number = ? AND conversation = ? AND delivery_id IS NULL");
  const parking = createParking(database, addresses);

  return {
    receive(delivery) {
      const { accountKey, id, references, receivedAtMs } = delivery;
      const target = addresses.find(accountKey, references);
      const { changes, lastInsertRowid } = insert.run(
        toColumnText(accountKey),
        id === undefined ? null : toColumnText(id),
        target?.handover ?? null,
        target?.conversation ?? null,
        Math.floor(receivedAtMs),
        JSON.stringify(delivery),
      );
      if (changes === 0) return { kind: "repeated" };
      if (target) return { kind: "added", conversation: target.conversation };
      parking.park(Number(lastInsertRowid), delivery);
      return { kind: "parked" };
    },
    unpark: parking.unpark,
    consume(conversation, numbers) {
      let count = 0;
      for (const number of numbers) {
        count += Number(clear.run(number, conversation).changes) + Number(removeUnnamed.run(number, conversation).changes);
      }
      return count;
    },
    read(key, limit) {
      const rows = select.all(key, limit) as unknown as { number: number; handover: string; json: string }[];
      return rows.map(({ number, handover, json }) => ({ ...(JSON.parse(json) as NewDelivery), number, handover }));
    },
    expireParked: parking.expire,
  };
}

/** Deliveries whose handover is not known yet. */
function createParking(database: DatabaseSync, addresses: Addresses) {
  const insert = database.prepare("INSERT OR IGNORE INTO parked (account_key, reference, number) VALUES (?, ?, ?)");
  const select = database.prepare(
    "SELECT inbox.number, inbox.json FROM parked JOIN inbox ON inbox.number = parked.number WHERE parked.account_key = ? AND reference = ?",
  );
  const give = database.prepare("UPDATE inbox SET handover = ?, conversation = ? WHERE number = ?");
  const remove = database.prepare("DELETE FROM parked WHERE number = ?");
  const expire = database.prepare("DELETE FROM inbox WHERE handover IS NULL AND received_at < ? RETURNING number, json");

  function unparkOne(accountKey: string, reference: string): readonly number[] {
    const rows = select.all(toColumnText(accountKey), toColumnText(reference)) as unknown as { number: number; json: string }[];
    return rows.flatMap(({ number, json }) => {
      const target = addresses.find(accountKey, (JSON.parse(json) as NewDelivery).references);
      if (!target) return [];
      give.run(target.handover, target.conversation, number);
      remove.run(number);
      return [target.conversation];
    });
  }

  return {
    park(number: number, { accountKey, references }: NewDelivery): void {
      for (const reference of references) insert.run(toColumnText(accountKey), toColumnText(reference), number);
    },
    unpark(accountKey: string, references: readonly string[]): ReadonlySet<number> {
      return new Set(references.flatMap((reference) => unparkOne(accountKey, reference)));
    },
    expire(beforeMs: number): readonly Pick<NewDelivery, "connection" | "references">[] {
      const rows = expire.all(Math.floor(beforeMs)) as unknown as { number: number; json: string }[];
      return rows
        .sort((one, other) => one.number - other.number)
        .map(({ json }) => {
          const { connection, references } = JSON.parse(json) as NewDelivery;
          return { connection, references };
        });
    },
  };
}
