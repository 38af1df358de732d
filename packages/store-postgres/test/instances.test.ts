import type { Json } from "@handover/core";
import type { Claim, Store } from "@handover/runtime";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { account, commitTo, committed, newDelivery, newEntry, newHandover, startHandover } from "../../testkit/src/store-suite/records.ts";
import { administer, until, newTestSchema, withoutPostgres } from "./support/use-postgres.ts";
import type { TestSchema } from "./support/use-postgres.ts";

const missing = await withoutPostgres();
const hourMs = 3_600_000;

async function claimOne(store: Store, owner: string, leaseMs: number): Promise<Claim | undefined> {
  return (await store.claim({ owner, leaseMs, nowMs: Date.now(), limit: 1 }))[0];
}

describe.skipIf(missing)("leases of several instances", () => {
  async function openTwo(): Promise<readonly [Store, Store, TestSchema]> {
    const schema = await newTestSchema();
    const [first, second] = [await schema.open(), await schema.open()];
    await committed(first, commitTo("demo/a", { append: [newEntry("1")] }));
    return [first, second, schema];
  }

  it("should end by the clock of the database, and then be lost to whoever claims [F021 store part]", async () => {
    const [first, second] = await openTwo();
    const claim = await claimOne(first, "one", 80);
    if (!claim) throw new Error("The conversation was not claimed.");
    const successor = await until("the end of the lease", () => claimOne(second, "two", hourMs));
    expect(successor.fence).toBeGreaterThan(claim.fence);
    expect(await first.commit({ conversation: "demo/a", fence: claim.fence, append: [newEntry("2")] })).toEqual({ status: "fenced" });
    expect(await first.renew([claim], "one", hourMs, Date.now())).toEqual(["demo/a"]);
    expect(await first.release(claim, { activity: 1, dueAtMs: null })).toBe(true);
    expect(await second.commit({ conversation: "demo/a", fence: successor.fence })).toMatchObject({ status: "committed" });
    expect(await second.renew([successor], "two", hourMs, Date.now())).toEqual([]);
  });

  it("should not end by the clock of an instance that is wrong", async () => {
    const [first, second] = await openTwo();
    await claimOne(first, "one", hourMs);
    const far = { owner: "two", leaseMs: 1, nowMs: Date.now() + 1_000 * hourMs, limit: 10 };
    expect(await second.claim(far)).toEqual([]);
    expect(await second.claim({ ...far, only: ["demo/a"] })).toEqual([]);
    await committed(first, commitTo("demo/b", { append: [newEntry("1")] }));
    expect(await second.claim({ ...far, nowMs: 0 })).toMatchObject([{ conversation: "demo/b" }]);
  });

  it("should go on when they are renewed, and be kept by a holder that was late as long as nobody else claimed", async () => {
    const [first, second, { query }] = await openTwo();
    const claim = await claimOne(first, "one", 1);
    if (!claim) throw new Error("The conversation was not claimed.");
    const ended = () => query<{ ended: boolean }>("SELECT claimable_at <= clock_timestamp() AS ended FROM %.conversations");
    await until("the end of the lease", async () => (await ended())[0]?.ended);
    expect(await first.commit({ conversation: "demo/a", fence: claim.fence })).toMatchObject({ status: "committed" });
    expect(await first.renew([claim], "one", hourMs, Date.now())).toEqual([]);
    expect(await claimOne(second, "two", hourMs)).toBeUndefined();
  });

  it("should measure by the runtime's clock only how long it is until something is due", async () => {
    const schema = await newTestSchema();
    // An hour behind: what is due in a moment by this clock is due in a moment.
    const clock = { now: () => Date.now() - hourMs };
    const store = await schema.open({ clock });
    await committed(store, commitTo("demo/a", { append: [newEntry("1")] }));
    const claim = await claimOne(store, "one", hourMs);
    if (!claim) throw new Error("The conversation was not claimed.");
    expect(await store.release(claim, { activity: 1, dueAtMs: clock.now() + hourMs })).toBe(true);
    expect(await claimOne(store, "one", hourMs)).toBeUndefined();
    const [again] = await store.claim({ owner: "one", leaseMs: hourMs, nowMs: 0, limit: 1, only: ["demo/a"] });
    if (!again) throw new Error("The conversation was not claimed.");
    expect(await store.release(again, { activity: 1, dueAtMs: clock.now() + 20 })).toBe(true);
    await until("the time at which it is due", () => claimOne(store, "one", hourMs));
  });

  it("should take a conversation over that its holder left in the middle, with work that came meanwhile", async () => {
    const [first, second] = await openTwo();
    await claimOne(first, "one", 40);
    await committed(second, commitTo("demo/a", { append: [newEntry("2")] }));
    await first.close();
    expect(await until("the end of the lease", () => claimOne(second, "two", hourMs))).toMatchObject({ conversation: "demo/a" });
  });

  it("should wait for a named conversation that a commit has locked for a moment, and not pass it by", async () => {
    const [, second, { connectionString, schema }] = await openTwo();
    const { Client } = await import("pg");
    const client = new Client({ connectionString });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query("BEGIN");
    await client.query(`SELECT 1 FROM ${schema}.conversations FOR NO KEY UPDATE`);
    const claiming = second.claim({ owner: "two", leaseMs: hourMs, nowMs: 0, limit: 1, only: ["demo/a"] });
    expect(await second.claim({ owner: "two", leaseMs: hourMs, nowMs: 0, limit: 1 })).toEqual([]);
    await client.query("COMMIT");
    expect(await claiming).toHaveLength(1);
  });
});

describe.skipIf(missing)("several instances that write at once", () => {
  it("should keep a hundred parallel starts on two instances apart [F159]", async () => {
    const { open, query } = await newTestSchema();
    const stores = [await open(), await open()];
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const store = stores[index % 2] as Store;
        await startHandover(store, `demo/${index}`, [`conversation:${index}`]);
      }),
    );
    const references = Array.from({ length: 100 }, (_, index) => `conversation:${index}`);
    for (const [index, reference] of references.entries()) {
      expect(await stores[(index + 1) % 2]?.findHandover(account, [reference])).toMatchObject({ conversation: `demo/${index}` });
    }
    expect(await query("SELECT count(*)::int AS count FROM %.addresses")).toEqual([{ count: 100 }]);
  });

  it("should not stand in each other's way when they give deliveries to each other's conversations", async () => {
    const { open, connectionString } = await newTestSchema();
    const stores = [await open({ poolSize: 8 }), await open({ poolSize: 8 })];
    const keys = Array.from({ length: 6 }, (_, index) => `demo/${index}`);
    for (const [index, key] of keys.entries()) await startHandover(stores[0] as Store, key, [`conversation:${index}`]);
    const deadlocks = () => administer(connectionString, "SELECT sum(deadlocks)::int AS count FROM pg_stat_database");
    const before = await deadlocks();
    await Promise.all(
      Array.from({ length: 240 }, async (_, index) => {
        const store = stores[index % 2] as Store;
        const forAll = keys.map((_key, place) => newDelivery(`${index % 40}-${place}`, [`conversation:${place}`]));
        const deliveries = index % 3 === 0 ? forAll : forAll.toReversed();
        if (index % 4 === 0) await store.receive(deliveries);
        else await committed(store, commitTo(keys[index % 6] as string, { append: [newEntry(`${index}`)], deliveries }));
      }),
    );
    expect(await deadlocks()).toEqual(before);
    for (const key of keys) expect(await stores[1]?.readInbox(key, 1_000)).toHaveLength(40);
  });

  it("should keep ids of any length apart, and give long keys back whole", async () => {
    const { open } = await newTestSchema();
    const store = await open();
    const long = (end: string) => `${"%F0%9F%98%80".repeat(256)}${end}`;
    const key = `demo/${long("a")}`;
    expect(
      await committed(store, commitTo(key, { append: [newEntry(long("1")), newEntry(long("2")), newEntry(long("1"))] })),
    ).toMatchObject({
      seqs: [1, 2, 1],
    });
    await committed(store, commitTo(`demo/${long("b")}`, { append: [newEntry("1")] }));
    expect(await store.findEntry(key, "user", long("2"))).toMatchObject({ id: long("2"), seq: 2 });
    await startHandover(store, key, [long("reference")], long("account"));
    const delivery = newDelivery(long("delivery"), [long("reference")], { accountKey: long("account") });
    expect(await store.receive([delivery, delivery])).toMatchObject({ conversations: [key], added: 1, repeated: 1 });
    const claims = await store.claim({ owner: "one", leaseMs: hourMs, nowMs: 0, limit: 10 });
    expect(claims.map(({ conversation }) => conversation).sort()).toEqual([key, `demo/${long("b")}`]);
    expect(await store.renew(claims, "one", hourMs, 0)).toEqual([]);
    await store.writeMemory(long("scope"), long("key"), 1);
    expect(await store.readMemory(long("scope"), long("key"))).toBe(1);
  });

  it("should keep the number of connections constant over a thousand conversations [F162 connection count]", async () => {
    const { open, schema, connectionString } = await newTestSchema();
    const url = new URL(connectionString);
    url.searchParams.set("application_name", schema);
    const store = await open({ connectionString: url.href, poolSize: 4 });
    const count = () =>
      administer(connectionString, "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1", [schema]);
    const run = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) => committed(store, commitTo(`demo/${from + index}`, { append: [newEntry("1")] }))),
      );
    await run(0, 100);
    expect(await count()).toEqual([{ count: 5 }]);
    await run(100, 1_000);
    expect(await count()).toEqual([{ count: 5 }]);
    await store.close();
    await expect.poll(count).toEqual([{ count: 0 }]);
  });

  it("should keep a connection whose statement was refused", async () => {
    const { open, query, schema, connectionString } = await newTestSchema();
    const url = new URL(connectionString);
    url.searchParams.set("application_name", schema);
    const store = await open({ connectionString: url.href, poolSize: 1 });
    await store.check();
    const pids = () => query("SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid", [schema]);
    const before = await pids();
    await expect(store.commit({ conversation: "demo/unknown" })).rejects.toMatchObject({ code: "STORE_FAILED", isRetryable: false });
    await expect(store.commit(commitTo("demo/a", { handovers: [newHandover("h", "demo/b")] }))).rejects.toThrow(/does not have/);
    expect(await pids()).toEqual(before);
  });

  it("should not repeat what was to be stored in an error", async () => {
    const { open } = await newTestSchema();
    const store = await open();
    const broken = newHandover("h1", "demo/a", { ordinal: "the words of a user" as never });
    const error = await store.commit(commitTo("demo/a", { handovers: [broken], append: [newEntry("1", { text: "the words" })] })).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ code: "STORE_FAILED" });
    const { detail, where } = error?.cause as { detail?: string; where?: string };
    expect([detail, where]).toEqual([undefined, undefined]);
  });
});

describe.skipIf(missing)("hints between instances", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  function nextChange(store: Store, key: string): Promise<string> {
    return new Promise((resolve) => {
      stops.push(store.watch((changed) => changed === key && resolve(changed)));
    });
  }
  const nextSignal = (store: Store, topic: string) =>
    new Promise<Json>((resolve) => {
      stops.push(store.subscribe(topic, resolve));
    });

  it("should name what changed after it can be read there, each conversation, whoever committed [F156 store part]", async () => {
    const { open } = await newTestSchema();
    const [first, second] = [await open(), await open()];
    const heard = ["demo/a", "demo/b"].map((key) => nextChange(second, key));
    await Promise.all(["demo/a", "demo/b"].map((key) => committed(first, commitTo(key, { append: [newEntry("1")] }))));
    expect(await Promise.all(heard)).toEqual(["demo/a", "demo/b"]);
    expect(await second.readEntries("demo/b", { after: 0, limit: 1 })).toHaveLength(1);
    await startHandover(second, "demo/a", ["conversation:1"]);
    const received = nextChange(first, "demo/a");
    await second.receive([newDelivery("m1", ["conversation:1"])]);
    expect(await received).toBe("demo/a");
  });

  it("should bring signals to other instances, once to each, and keep those that are too long at home", async () => {
    const { open } = await newTestSchema();
    const debug = vi.fn();
    const logger = { debug, info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const [first, second] = [await open({ logger }), await open()];
    const [here, there] = [vi.fn(), vi.fn()];
    stops.push(first.subscribe("typing", here), second.subscribe("typing", there));
    const last = Promise.all([nextSignal(first, "last"), nextSignal(second, "last")]);
    first.publish("typing", { text: "short \0 \ud83d 🙂" });
    first.publish("typing", "x".repeat(8_000));
    first.publish("last", null);
    expect(await last).toEqual([null, null]);
    expect(here).toHaveBeenCalledTimes(2);
    expect(there.mock.calls).toEqual([[{ text: "short \0 \ud83d 🙂" }]]);
    expect(debug.mock.calls).toEqual([["a signal is too long for other instances", { topic: "typing" }]]);
  });

  it("should not be disturbed by what somebody else writes to the channel", async () => {
    const { open, query, schema } = await newTestSchema();
    const store = await open();
    const changed = vi.fn();
    stops.push(store.watch(changed));
    const heard = nextChange(store, "demo/a");
    for (const text of ["", "{", "null", "[]", '"text"', '{"from":1}', '{"from":"x","changed":[7,null]}', '{"from":"x","topic":3}']) {
      await query("SELECT pg_notify($1, $2)", [`${schema}_hints`, text]);
    }
    await query("SELECT pg_notify($1, $2)", [`${schema}_hints`, JSON.stringify({ from: "x", changed: ["demo/a"] })]);
    await heard;
    expect(changed.mock.calls).toEqual([["demo/a"]]);
  });

  it("should come back after the session that listens was lost, while commits go on [F162 store part]", async () => {
    const { open, query, schema, connectionString } = await newTestSchema();
    const listenConnectionString = `${connectionString}?application_name=${schema}`;
    const [first, second] = [await open({ listenConnectionString }), await open({ listenConnectionString })];
    const sessions = () => query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = $1", [schema]);
    const before = await sessions();
    expect(before).toHaveLength(2);
    await query("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", [before.map(({ pid }) => pid)]);
    const here = nextChange(first, "demo/a");
    await committed(first, commitTo("demo/a", { append: [newEntry("1")] }));
    expect(await here).toBe("demo/a");
    await until("new sessions", async () => {
      const now = await sessions();
      return now.length === 2 && now.every(({ pid }) => !before.some((old) => old.pid === pid));
    });
    let hasHeard = false;
    stops.push(second.watch(() => (hasHeard = true)));
    let count = 1;
    await until("a hint", async () => {
      await committed(first, commitTo("demo/a", { append: [newEntry(`${(count += 1)}`)] }));
      return hasHeard;
    });
  });
});
