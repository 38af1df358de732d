import { createHash } from "node:crypto";
import { entrySkeleton, handoverSkeleton, journalSkeleton, oldEntries, partSkeleton } from "@handover/runtime";
import type { HandoverRecord, JournalItem, NewEntry, PartRecord, Store } from "@handover/runtime";
import { fromColumnText, toLookupText, toPlainText } from "./column-text.ts";
import type { Database } from "./database.ts";

/** Takes content away, a piece at a time. Each piece is one statement, worked out from one version of the conversation. */
export interface Erasure {
  listOfUser: Store["listConversationsOfUser"];
  erase: Store["erase"];
  eraseDue: Store["eraseDue"];
  eraseMemory: Store["eraseMemory"];
}

const entriesPerPiece = 200;
const journalItemsPerPiece = 500;

interface Row {
  readonly id: number;
  readonly key: string;
  readonly version: number;
  readonly last_seq: number;
  readonly erased_through: number;
  readonly is_open: boolean;
}

/** How far the log is erased, and the time of the oldest entry that stays. */
interface ErasedLog {
  readonly through: number;
  readonly nextAtMs?: number | undefined;
}

const hasOpenHandover = (schema: string) => `EXISTS (SELECT 1 FROM ${schema}.handovers h WHERE h.conversation = c.id AND h.is_open)`;

/** What an erasure looks for; each has an index. */
export const searches = (schema: string) => ({
  marked: `SELECT key FROM ${schema}.conversations c WHERE must_erase AND NOT ${hasOpenHandover(schema)} LIMIT 1`,
  old: `SELECT key FROM ${schema}.conversations c WHERE content_from < $1 AND NOT ${hasOpenHandover(schema)}
    ORDER BY content_from LIMIT 1`,
  ofUser: `SELECT coalesce(long_key, key) AS key FROM ${schema}.conversations
    WHERE user_record IS NOT NULL AND ${schema}.user_of_v1(user_record) = $1 AND key > $2
      AND ($3::text IS NULL OR (${schema}.plain_v1(address) -> 'endpoint')::text = $3)
    ORDER BY key LIMIT $4`,
});

export function createErasure(database: Database, schema: string): Erasure {
  const isOpen = hasOpenHandover(schema);
  const select = `SELECT id, key, version, last_seq, erased_through, ${isOpen} AS is_open FROM ${schema}.conversations c WHERE key = $1`;
  const selectEntries = `SELECT seq, record FROM ${schema}.entries WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT ${entriesPerPiece}`;
  const selectParts = `SELECT position, record FROM ${schema}.parts
    WHERE handover IN (SELECT id FROM ${schema}.handovers WHERE conversation = $1) AND seq > $2 AND seq <= $3`;
  const selectHandovers = `SELECT id, record FROM ${schema}.handovers WHERE conversation = $1`;
  const selectJournal = `SELECT number, record FROM ${schema}.journal
    WHERE conversation = $1 AND at < $2 AND ${schema}.plain_v1(record) -> 'details' IS NOT NULL LIMIT ${journalItemsPerPiece}`;
  const eraseJournalPage = `SELECT ${schema}.erase_journal_v1($1)`;
  const eraseLogPage = `SELECT ${schema}.erase_log_v1($1) AS answer`;
  const eraseTheRest = `SELECT ${schema}.erase_rest_v1($1) AS answer`;
  const mark = `UPDATE ${schema}.conversations SET must_erase = true WHERE key = $1`;
  const { marked: selectMarked, old: selectOld, ofUser: selectOfUser } = searches(schema);
  const deleteScopes = `DELETE FROM ${schema}.memory WHERE scope = ANY ($1::text[])`;

  async function ask(statement: string, request: object): Promise<string> {
    const [row] = await database.query<{ answer: string }>(statement, [JSON.stringify(request)]);
    return row?.answer ?? "conflict";
  }

  /** @returns `undefined` when there is more of it, or something else came first */
  async function eraseLog(row: Row, beforeMs: number): Promise<ErasedLog | undefined> {
    const rows = await database.query<{ seq: number; record: NewEntry }>(selectEntries, [row.id, row.erased_through]);
    const { through, nextAtMs } = oldEntries(
      rows.map(({ seq, record }) => ({ seq, ...record })),
      beforeMs,
    );
    if (through === undefined) return { through: row.erased_through, nextAtMs };
    const parts = await database.query<{ position: number; record: PartRecord }>(selectParts, [row.id, row.erased_through, through]);
    await ask(eraseLogPage, {
      conversation: row.id,
      version: row.version,
      through,
      entries: rows.filter(({ seq }) => seq <= through).map(({ seq, record }) => ({ seq, record: JSON.stringify(entrySkeleton(record)) })),
      parts: parts.map(({ position, record }) => ({ position, record: JSON.stringify(partSkeleton(record)) })),
    });
    return undefined;
  }

  async function eraseJournal(row: Row, beforeMs: number): Promise<void> {
    for (;;) {
      const rows = await database.query<{ number: number; record: JournalItem }>(selectJournal, [row.key, beforeMs]);
      const items = rows.map(({ number, record }) => ({ number, record: JSON.stringify(journalSkeleton(record)) }));
      if (items.length > 0) await database.query(eraseJournalPage, [JSON.stringify(items)]);
      if (items.length < journalItemsPerPiece) return;
    }
  }

  /** @returns whether nothing else came first */
  async function eraseRest(row: Row, { through, nextAtMs }: ErasedLog, beforeMs: number): Promise<boolean> {
    const handovers = await database.query<{ id: string; record: HandoverRecord }>(selectHandovers, [row.id]);
    // Those that stand in the part of the log that was erased.
    const over = handovers.filter(({ record }) => (record.ended?.seq ?? record.requestedSeq) <= through);
    const answer = await ask(eraseTheRest, {
      conversation: row.id,
      version: row.version,
      beforeMs,
      isEmpty: through >= row.last_seq,
      contentFrom: nextAtMs === undefined ? null : Math.floor(nextAtMs),
      handovers: over.map(({ id, record }) => ({ id, record: JSON.stringify(handoverSkeleton(record)) })),
    });
    return answer === "erased";
  }

  /** Begins again when something else came first: what was erased stays erased. */
  async function eraseBefore(key: string, beforeMs: number): Promise<"erased" | "waiting"> {
    const limitMs = Math.min(Math.floor(beforeMs), Number.MAX_SAFE_INTEGER);
    for (;;) {
      const [row] = await database.query<Row>(select, [key]);
      if (!row) return "erased";
      if (row.is_open) return "waiting";
      const log = await eraseLog(row, beforeMs);
      if (!log) continue;
      await eraseJournal(row, limitMs);
      if (await eraseRest(row, log, limitMs)) return "erased";
    }
  }

  return {
    async listOfUser({ user, endpoint, after, limit }) {
      const hash = createHash("sha256").update(toPlainText(user)).digest();
      const values = [hash, after === undefined ? "" : toLookupText(after), endpoint === undefined ? null : toPlainText(endpoint), limit];
      return (await database.query<{ key: string }>(selectOfUser, values)).map(({ key }) => fromColumnText(key));
    },
    async erase(conversation) {
      const key = toLookupText(conversation);
      const result = await eraseBefore(key, Infinity);
      if (result === "waiting") await database.query(mark, [key]);
      return result;
    },
    async eraseDue({ beforeMs, limit }) {
      for (let count = 0; count < limit; count += 1) {
        const [marked] = await database.query<{ key: string }>(selectMarked);
        const [due = marked] =
          marked || beforeMs === undefined ? [] : await database.query<{ key: string }>(selectOld, [Math.floor(beforeMs)]);
        if (!due) return count;
        await eraseBefore(due.key, marked ? Infinity : (beforeMs ?? 0));
      }
      return limit;
    },
    async eraseMemory(scopes) {
      await database.query(deleteScopes, [scopes.map(toLookupText)]);
    },
  };
}
