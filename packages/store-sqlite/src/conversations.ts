import type { DatabaseSync } from "node:sqlite";
import type { Commit, ConversationPatch, ConversationRecord } from "@handover/runtime";
import { toColumnText } from "./column-text.ts";

/** What of a conversation is kept as JSON. */
type Content = Omit<ConversationRecord, "key" | "version" | "activity" | "lastSeq">;

/** A conversation as a commit sees it. */
export interface ConversationRow {
  readonly id: number;
  readonly version: number;
  readonly activity: number;
  readonly lastSeq: number;
  readonly owner: string | null;
  readonly fence: number;
  readonly dueAt: number | null;
  /** The time of the oldest content; null where there is none. */
  readonly contentFrom: number | null;
  readonly json: string;
}

type Columns = readonly [
  id: number,
  version: number,
  activity: number,
  lastSeq: number,
  owner: string | null,
  fence: number,
  dueAt: number | null,
  contentFrom: number | null,
  json: string,
];

export interface ConversationChange {
  readonly version: number;
  readonly lastSeq: number;
  readonly patch?: ConversationPatch | undefined;
  /** When there is something new to do. */
  readonly dueAtMs?: number | undefined;
}

export interface Conversations {
  find(key: string): ConversationRow | undefined;
  keyOf(id: number): string;
  read(key: string): ConversationRecord | undefined;
  create(key: string, address: NonNullable<Commit["create"]>): ConversationRow;
  change(row: ConversationRow, change: ConversationChange): void;
  /** It has content of that time, or of before. */
  noteContent(id: number, atMs: number): void;
  /** Something new is to be done. */
  wake(id: number, dueAtMs: number): void;
}

export function createConversations(database: DatabaseSync): Conversations {
  const select = database.prepare(
    "SELECT id, version, activity, last_seq, owner, fence, due_at, content_from, json FROM conversations WHERE key = ?",
  );
  // Every commit reads a row: as an object with names it would take twice as long.
  select.setReturnArrays(true);
  const selectKey = database.prepare("SELECT key FROM conversations WHERE id = ?");
  const insert = database.prepare("INSERT INTO conversations (key, json) VALUES (?, ?)");
  // Most commits: what is not named needs not be written, and no index be changed.
  const countUp = database.prepare("UPDATE conversations SET activity = activity + 1, version = ?, last_seq = ? WHERE id = ?");
  const update = database.prepare("UPDATE conversations SET version = ?, last_seq = ?, json = ? WHERE id = ?");
  // What was due before stays due since then, so that nobody is overtaken for ever.
  const wake = "activity = activity + 1, due_at = min(coalesce(due_at, ?1), ?1)";
  const updateAndWake = database.prepare(`UPDATE conversations SET ${wake}, version = ?2, last_seq = ?3, json = ?4 WHERE id = ?5`);
  const setUser = database.prepare("UPDATE conversations SET user_id = ? WHERE id = ?");
  const noteContent = database.prepare("UPDATE conversations SET content_from = min(coalesce(content_from, ?1), ?1) WHERE id = ?2");
  const wakeOnly = database.prepare(`UPDATE conversations SET ${wake} WHERE id = ?2`);

  function find(key: string): ConversationRow | undefined {
    const columns = select.get(key) as unknown as Columns | undefined;
    if (!columns) return undefined;
    const [id, version, activity, lastSeq, owner, fence, dueAt, contentFrom, json] = columns;
    return { id, version, activity, lastSeq, owner, fence, dueAt, contentFrom, json };
  }

  return {
    find,
    keyOf(id) {
      return (selectKey.get(id) as { key: string }).key;
    },
    read(key) {
      const row = find(key);
      return row && { ...(JSON.parse(row.json) as Content), key, version: row.version, activity: row.activity, lastSeq: row.lastSeq };
    },
    create(key, { endpoint, conversation }) {
      const content: Content = { endpoint, conversation, botThrough: 0, pushedThrough: 0, handoverCount: 0 };
      const json = JSON.stringify(content);
      const { lastInsertRowid } = insert.run(key, json);
      return {
        id: Number(lastInsertRowid),
        version: 0,
        activity: 0,
        lastSeq: 0,
        owner: null,
        fence: 0,
        dueAt: null,
        contentFrom: null,
        json,
      };
    },
    change(row, { version, lastSeq, patch, dueAtMs }) {
      const isDue = dueAtMs !== undefined && row.dueAt !== null && row.dueAt <= dueAtMs;
      if (isDue && !patch) return void countUp.run(version, lastSeq, row.id);
      const json = patch ? patched(row.json, patch) : row.json;
      const userId = patch?.user?.id;
      if (userId !== undefined && userId !== (JSON.parse(row.json) as Content).user?.id) setUser.run(toColumnText(userId), row.id);
      if (dueAtMs !== undefined) updateAndWake.run(Math.floor(dueAtMs), version, lastSeq, json, row.id);
      else if (version !== row.version) update.run(version, lastSeq, json, row.id);
    },
    noteContent(id, atMs) {
      noteContent.run(Number.isFinite(atMs) ? Math.floor(atMs) : 0, id);
    },
    wake(id, dueAtMs) {
      wakeOnly.run(Math.floor(dueAtMs), id);
    },
  };
}

/** `null` takes a value away; what is left out stays. */
function patched(json: string, patch: ConversationPatch): string {
  const values = Object.entries({ ...(JSON.parse(json) as Content), ...patch });
  return JSON.stringify(Object.fromEntries(values.filter(([, value]) => value !== null)));
}
