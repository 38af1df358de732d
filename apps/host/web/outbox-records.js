// @ts-check
// The unsent messages of one conversation in localStorage. Each message has a key of its own: two tabs that write at the same time
// cannot overwrite each other's list.

/** @import { KeyValueStorage, OutboxRecord } from "./chat-types.d.ts" */

const prefix = "handover:outbox:";

/** @param {KeyValueStorage} storage @param {string} scope */
export function createOutboxRecords(storage, scope) {
  const start = `${prefix}${scope}:`;
  /** @param {string} id */
  const keyOf = (id) => `${start}${id}`;

  return {
    /** @returns {OutboxRecord[]} in the order in which they were written */
    list() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index)).filter((key) => key?.startsWith(start));
      const records = keys.map((key) => parseRecord(storage.getItem(key ?? ""))).filter((record) => record !== undefined);
      return records.sort((left, right) => left.order - right.order || (left.id < right.id ? -1 : 1));
    },
    /** @param {string} id */
    get: (id) => parseRecord(storage.getItem(keyOf(id))),
    /** @param {OutboxRecord} record */
    put: (record) => storage.setItem(keyOf(record.id), JSON.stringify(record)),
    /** Changes a record that is still there: one that was confirmed meanwhile must not come back. @param {string} id @param {Partial<OutboxRecord>} change */
    change(id, change) {
      const record = this.get(id);
      if (record) this.put({ ...record, ...change });
    },
    /** @param {string} id */
    remove: (id) => storage.removeItem(keyOf(id)),
  };
}

/** @param {string | null} key */
export const isOutboxKey = (key) => key === null || key.startsWith(prefix);

/** @param {string | null} json @returns {OutboxRecord | undefined} */
function parseRecord(json) {
  try {
    const record = json === null ? undefined : JSON.parse(json);
    return typeof record?.id === "string" && typeof record.text === "string" ? record : undefined;
  } catch {
    return undefined;
  }
}
