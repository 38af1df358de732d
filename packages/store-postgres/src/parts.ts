import type { PartRecord } from "@handover/runtime";
import { toColumnText, toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

export interface Parts {
  /** In the order in which they were planned: the transcript goes before what was said live. */
  readOpen(handover: string, attempt: number): Promise<readonly PartRecord[]>;
  readOfEntry(handover: string, attempt: number, seq: number): Promise<readonly PartRecord[]>;
  findByKey(handover: string, key: string): Promise<PartRecord | undefined>;
  findByVendorId(handover: string, vendorMessageId: string): Promise<PartRecord | undefined>;
}

interface Row {
  readonly record: PartRecord;
}

export function createParts(database: Database, schema: string): Parts {
  const ofHandover = `SELECT record FROM ${schema}.parts WHERE handover = $1`;
  const selectOpen = `${ofHandover} AND attempt = $2 AND is_open ORDER BY position`;
  const selectOfEntry = `${ofHandover} AND attempt = $2 AND seq = $3 ORDER BY number`;
  const selectByKey = `${ofHandover} AND key = $2`;
  const selectByVendorId = `${ofHandover} AND vendor_message_id = $2 ORDER BY position DESC LIMIT 1`;

  async function query(text: string, handover: string, values: readonly unknown[]): Promise<readonly PartRecord[]> {
    return (await database.query<Row>(text, [toColumnText(handover), ...values])).map(({ record }) => record);
  }

  return {
    readOpen: (handover, attempt) => query(selectOpen, handover, [attempt]),
    readOfEntry: (handover, attempt, seq) => query(selectOfEntry, handover, [attempt, seq]),
    findByKey: async (handover, key) => (await query(selectByKey, handover, [toLookupText(key)]))[0],
    findByVendorId: async (handover, id) => (await query(selectByVendorId, handover, [toLookupText(id)]))[0],
  };
}
