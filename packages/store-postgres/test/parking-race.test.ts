import type { Store } from "@handover/runtime";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { account, commitTo, committed, inboxIds, newDelivery, newHandover, startHandover } from "../../testkit/src/store-suite/records.ts";
import { toCommitRequest, toReceiveRequest } from "../src/commit.ts";
import { until, newTestSchema, withoutPostgres } from "./support/use-postgres.ts";
import type { TestSchema } from "./support/use-postgres.ts";

const missing = await withoutPostgres();

const start = commitTo("demo/a", {
  handovers: [newHandover("h1", "demo/a")],
  references: [{ accountKey: account, handover: "h1", references: ["conversation:1"] }],
});
const early = newDelivery("m1", ["source:x", "conversation:1"]);

/** A second connection that stops before its commit. */
async function beginWith({ connectionString, schema }: TestSchema, name: string, request: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query("BEGIN");
  await client.query(`SELECT ${schema}.${name}($1)`, [request]);
  return client;
}

/** Until a statement of the store waits for a lock. */
function untilBlocked({ query, schema }: TestSchema): Promise<unknown> {
  const blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
  return until("a statement that waits", async () => (await query(blocked, [`%${schema}%`])).length > 0);
}

describe.skipIf(missing)("a delivery that is parked at the moment its handover becomes known [F041 store part]", () => {
  it("should find its handover when that is being committed while it comes", async () => {
    const schema = await newTestSchema();
    const store = await schema.open();
    const starting = await beginWith(schema, "commit_v1", toCommitRequest(schema.schema, start));
    const receiving = store.receive([early]);
    await untilBlocked(schema);
    await starting.query("COMMIT");
    expect(await receiving).toMatchObject({ conversations: ["demo/a"], added: 1, parked: 0 });
    expect(await inboxIds(store, "demo/a")).toEqual(["m1"]);
  });

  it("should be found by its handover when it is being parked while that starts", async () => {
    const schema = await newTestSchema();
    const store = await schema.open();
    const parking = await beginWith(schema, "receive_v1", toReceiveRequest(schema.schema, [early]));
    const starting = store.commit(start);
    await untilBlocked(schema);
    await parking.query("COMMIT");
    expect(await starting).toMatchObject({ status: "committed" });
    expect(await inboxIds(store, "demo/a")).toEqual(["m1"]);
    expect(await store.readConversation("demo/a")).toMatchObject({ activity: 1 });
  });

  it("should stay parked when the handover is rolled back", async () => {
    const schema = await newTestSchema();
    const store = await schema.open();
    const starting = await beginWith(schema, "commit_v1", toCommitRequest(schema.schema, start));
    const receiving = store.receive([early]);
    await untilBlocked(schema);
    await starting.query("ROLLBACK");
    expect(await receiving).toMatchObject({ added: 0, parked: 1 });
    await committed(store, start);
    expect(await inboxIds(store, "demo/a")).toEqual(["m1"]);
  });

  it("should not hold up what belongs to other references", async () => {
    const schema = await newTestSchema();
    const store = await schema.open();
    await startHandover(store, "demo/b", ["conversation:2"]);
    const starting = await beginWith(schema, "commit_v1", toCommitRequest(schema.schema, start));
    expect(await store.receive([newDelivery("m2", ["conversation:2"])])).toMatchObject({ added: 1 });
    await starting.query("COMMIT");
  });

  it("should not be lost in any of many races, on two instances, in whatever order requests name it", async () => {
    const schema = await newTestSchema();
    const stores = [await schema.open({ poolSize: 8 }), await schema.open({ poolSize: 8 })];
    const count = 80;
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const deliveries = [0, 1, 2].map((place) => newDelivery(`${index}-${place}`, [`source:${index}`, `conversation:${index}`]));
        const neighbours = newDelivery(`${index}-n`, [`conversation:${(index + 1) % count}`]);
        const [one, other] = [stores[index % 2], stores[(index + 1) % 2]] as [Store, Store];
        await Promise.all([
          startHandover(one, `demo/${index}`, [`conversation:${index}`]),
          other.receive([...deliveries, neighbours]),
          one.receive([neighbours, ...deliveries].toReversed()),
        ]);
      }),
    );
    expect(await schema.query("SELECT count(*)::int AS count FROM %.inbox WHERE handover IS NULL")).toEqual([{ count: 0 }]);
    expect(await schema.query("SELECT count(*)::int AS count FROM %.parked")).toEqual([{ count: 0 }]);
    for (let index = 0; index < count; index += 1) expect(await inboxIds(stores[0] as Store, `demo/${index}`)).toHaveLength(4);
  });

  it("should be expired or given to its handover, never both and never neither", async () => {
    const schema = await newTestSchema();
    const [first, second] = [await schema.open(), await schema.open()];
    const count = 30;
    await first.receive(Array.from({ length: count }, (_, index) => newDelivery(`m${index}`, [`conversation:${index}`])));
    const [expired] = await Promise.all([
      first.expireParked(Date.now()),
      ...Array.from({ length: count }, (_, index) => startHandover(second, `demo/${index}`, [`conversation:${index}`])),
    ]);
    const kept = (await Promise.all(Array.from({ length: count }, (_, index) => inboxIds(second, `demo/${index}`)))).flat();
    expect(kept.length + expired.length).toBe(count);
  });
});
