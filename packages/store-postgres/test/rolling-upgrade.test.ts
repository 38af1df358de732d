import { DatabaseError, Pool } from "pg";
import type { PoolClient } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPostgresStore } from "@handover/store-postgres";
import { migrations } from "../src/migrations.ts";
import { writeEarlierSchema } from "./support/earlier-schemas.ts";
import { administer, dropSchema, newSchema, sharedConnectionString, until, withoutPostgres } from "./support/use-postgres.ts";

const atMs = Date.UTC(2026, 0, 5, 10);

/** What an instance of the release before does, in its own statements. */
interface EarlierInstance {
  /** Appends, reads, claims and receives until it is stopped. */
  work(): Promise<void>;
  stop(): void;
  /** Numbers that it was given, in order. */
  readonly seqs: readonly number[];
  /** Codes of errors that it does not repeat by itself. */
  readonly errors: readonly string[];
}

const repeated = ["40P01", "40001"];

function createEarlierInstance(pool: Pool, schema: string): EarlierInstance {
  const seqs: number[] = [];
  const errors: string[] = [];
  let isStopped = false;

  async function ask<Row>(statement: string, values: readonly unknown[]): Promise<readonly Row[]> {
    for (;;) {
      let client: PoolClient | undefined;
      try {
        client = await pool.connect();
        return (await client.query(statement.replaceAll("%", schema), [...values])).rows as Row[];
      } catch (error) {
        const code = error instanceof DatabaseError ? (error.code ?? "") : String(error);
        if (!repeated.includes(code)) errors.push(code);
        if (isStopped || !repeated.includes(code)) return [];
      } finally {
        client?.release();
      }
    }
  }

  async function append(): Promise<void> {
    const id = `earlier ${seqs.length}`;
    const record = JSON.stringify({ id, source: "user", audience: ["user"], kind: "message", at: new Date(atMs).toISOString(), text: id });
    const request = { key: "demo/ended", append: [{ source: "user", id, record }], update: { user: JSON.stringify({ id: "later" }) } };
    const [row] = await ask<{ answer: { seqs: number[] } }>("SELECT %.commit_v1($1) AS answer", [JSON.stringify(request)]);
    seqs.push(...(row?.answer.seqs ?? []));
  }

  async function read(): Promise<void> {
    const ofKey = "FROM %.entries WHERE conversation = (SELECT id FROM %.conversations WHERE key = $1)";
    await ask(`SELECT seq, record ${ofKey} AND seq > $2 ORDER BY seq LIMIT $3`, ["demo/ended", 0, 100]);
    await ask("SELECT conversation, new_fence FROM %.claim_v1($1, $2, $3, $4)", ["earlier", 1, 1, null]);
  }

  async function receive(): Promise<void> {
    const references = ["conversation:2"];
    const record = JSON.stringify({
      connection: "desk",
      accountKey: "x",
      id: `${Math.random()}`,
      references,
      payload: {},
      receivedAtMs: atMs,
    });
    const delivery = { account: "https://desk.example|7", id: `${Math.random()}`, references, received_at: atMs, record };
    await ask("SELECT %.receive_v1($1) AS answer", [JSON.stringify({ deliveries: [delivery], locks: [] })]);
  }

  async function repeat(step: () => Promise<void>): Promise<void> {
    while (!isStopped) await step();
  }

  return {
    seqs,
    errors,
    stop: () => void (isStopped = true),
    async work() {
      await Promise.all([repeat(append), repeat(read), repeat(read), repeat(receive)]);
    },
  };
}

describe.skipIf(await withoutPostgres())("a rolling upgrade", () => {
  async function prepare() {
    const connectionString = await sharedConnectionString();
    const schema = newSchema();
    const pool = new Pool({ connectionString, max: 4 });
    const store = createPostgresStore({ connectionString, schema, poolSize: 4 });
    onTestFinished(async () => {
      await store.close();
      await pool.end();
      await dropSchema(connectionString, schema);
    });
    await writeEarlierSchema(connectionString, schema, 1);
    return { connectionString, schema, store, instance: createEarlierInstance(pool, schema) };
  }

  it("should let instances of the release before work on, before, in and after it", async () => {
    const { store, instance } = await prepare();
    const working = instance.work();
    await until("the first entries", () => instance.seqs.length >= 20);
    await store.open();
    const atUpgrade = instance.seqs.length;
    await until("more entries", () => instance.seqs.length >= atUpgrade + 20);
    instance.stop();
    await working;
    expect(instance.errors).toEqual([]);
    const entries = await store.readEntries("demo/ended", { after: 0, limit: 10_000 });
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: instance.seqs.length + 5 }, (_, index) => index + 1));
    expect(instance.seqs).toEqual(instance.seqs.map((_, index) => index + 6));
  });

  it("should find and erase what they write after it", async () => {
    const { store, instance } = await prepare();
    await store.open();
    await store.erase("demo/ended");
    const working = instance.work();
    await until("entries", () => instance.seqs.length >= 5);
    instance.stop();
    await working;
    expect(await store.listConversationsOfUser({ user: "later", limit: 10 })).toEqual(["demo/ended"]);
    expect(await store.eraseDue({ beforeMs: atMs + 1, limit: 10 })).toBe(1);
    const entries = await store.readEntries("demo/ended", { after: 0, limit: 1000 });
    expect(entries.every(({ isErased }) => isErased)).toBe(true);
    expect(await store.listConversationsOfUser({ user: "later", limit: 10 })).toEqual([]);
  });

  it("should hold nobody up while a long transaction keeps it waiting", async () => {
    const { connectionString, schema, store } = await prepare();
    const pool = new Pool({ connectionString, max: 1 });
    onTestFinished(() => pool.end());
    const backup = await pool.connect();
    await backup.query(`BEGIN; LOCK TABLE ${schema}.conversations IN ACCESS SHARE MODE`);
    const opening = store.open();
    opening.catch(() => undefined);
    // Others are not held up for longer than the migration waits for its lock.
    await until("the migration to wait", async () => {
      const waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::regclass";
      return (await administer(connectionString, waiting, [`${schema}.conversations`])).length > 0;
    });
    await administer(connectionString, `SELECT count(*) FROM ${schema}.conversations`);
    await backup.query("COMMIT");
    backup.release();
    await opening;
    const [row] = await administer<{ version: number }>(connectionString, `SELECT version FROM ${schema}.store`);
    expect(row?.version).toBe(migrations.length);
  });
});
