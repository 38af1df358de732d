import type { DatabaseSync } from "node:sqlite";
import type { PartRecord } from "@handover/runtime";
import { toColumnText } from "./column-text.ts";

export interface Parts {
  put(part: PartRecord): void;
  /** In the order in which they were planned: the transcript goes before what was said live. */
  readOpen(handover: string, attempt: number): readonly PartRecord[];
  readOfEntry(handover: string, attempt: number, seq: number): readonly PartRecord[];
  findByKey(handover: string, key: string): PartRecord | undefined;
  findByVendorId(handover: string, vendorMessageId: string): PartRecord | undefined;
}

interface Row {
  readonly json: string;
}

export function createParts(database: DatabaseSync): Parts {
  const upsert = database.prepare(
    `INSERT INTO parts (handover, attempt, seq, number, key, vendor_message_id, is_open, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (handover, attempt, seq, number) DO UPDATE SET key = excluded.key,
       vendor_message_id = excluded.vendor_message_id, is_open = excluded.is_open, json = excluded.json`,
  );
  const selectOpen = database.prepare("SELECT json FROM parts WHERE handover = ? AND attempt = ? AND is_open = 1 ORDER BY position");
  const selectOfEntry = database.prepare("SELECT json FROM parts WHERE handover = ? AND attempt = ? AND seq = ? ORDER BY number");
  const selectByKey = database.prepare("SELECT json FROM parts WHERE key = ? AND handover = ?");
  const selectByVendorId = database.prepare(
    "SELECT json FROM parts WHERE handover = ? AND vendor_message_id = ? ORDER BY position DESC LIMIT 1",
  );

  return {
    put(part) {
      const { handover, attempt, seq, index, key, vendorMessageId } = part;
      const vendorId = vendorMessageId === undefined ? null : toColumnText(vendorMessageId);
      upsert.run(handover, attempt, seq, index, toColumnText(key), vendorId, isOpen(part) ? 1 : 0, JSON.stringify(part));
    },
    readOpen(handover, attempt) {
      return (selectOpen.all(handover, attempt) as unknown as Row[]).map(toPart);
    },
    readOfEntry(handover, attempt, seq) {
      return (selectOfEntry.all(handover, attempt, seq) as unknown as Row[]).map(toPart);
    },
    findByKey(handover, key) {
      return optionalPart(selectByKey.get(toColumnText(key), handover) as Row | undefined);
    },
    findByVendorId(handover, vendorMessageId) {
      return optionalPart(selectByVendorId.get(handover, toColumnText(vendorMessageId)) as Row | undefined);
    },
  };
}

function isOpen({ status }: PartRecord): boolean {
  return status === "planned" || status === "sending" || status === "unclear";
}

function optionalPart(row: Row | undefined): PartRecord | undefined {
  return row && toPart(row);
}

function toPart({ json }: Row): PartRecord {
  return JSON.parse(json) as PartRecord;
}
