import { createPostgresStore } from "@handover/store-postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { commitTo, committed, newDelivery, newEntry, startHandover } from "../../testkit/src/store-suite/records.ts";
import { startPostgres } from "./support/postgres.ts";
import type { PostgresServer } from "./support/postgres.ts";
import { administer, until, withoutPostgres } from "./support/use-postgres.ts";

const missing = await withoutPostgres();

async function ownServer(): Promise<PostgresServer> {
  const found = await startPostgres();
  if ("missing" in found) throw new Error(found.missing);
  onTestFinished(() => found.server.close());
  return found.server;
}

describe.skipIf(missing)("a server that goes and comes back", () => {
  it("should make every call fail as one to repeat while it is gone, and go on without a restart [F162 store part, F060 store part]", async () => {
    const server = await ownServer();
    const connectionString = `${server.connectionString}?application_name=instance`;
    const open = async () => {
      const store = createPostgresStore({ connectionString, poolSize: 3 });
      onTestFinished(() => store.close());
      await store.open();
      return store;
    };
    const [first, second] = [await open(), await open()];
    await startHandover(first, "demo/a", ["conversation:1"]);
    await committed(first, commitTo("demo/a", { append: [newEntry("1")] }));
    const before = await first.readConversation("demo/a");

    await server.stop();
    const delivery = newDelivery("m1", ["conversation:1"]);
    const retryable = { code: "STORE_FAILED", isRetryable: true };
    await expect(first.commit(commitTo("demo/a", { append: [newEntry("2")] }))).rejects.toMatchObject(retryable);
    await expect(first.receive([delivery])).rejects.toMatchObject(retryable);
    await expect(second.readConversation("demo/a")).rejects.toMatchObject(retryable);
    await expect(second.check()).rejects.toMatchObject(retryable);
    await expect(first.claim({ owner: "one", leaseMs: 1_000, nowMs: 0, limit: 1 })).rejects.toMatchObject(retryable);

    await server.start();
    expect(await first.readConversation("demo/a")).toEqual(before);
    expect(await second.receive([delivery])).toMatchObject({ added: 1, repeated: 0 });
    expect(await committed(first, commitTo("demo/a", { append: [newEntry("2")] }))).toMatchObject({ seqs: [2] });
    let hasHeard = false;
    const stop = second.watch(() => (hasHeard = true));
    let count = 2;
    await until("a hint of the other instance", async () => {
      await committed(first, commitTo("demo/a", { append: [newEntry(`${(count += 1)}`)] }));
      return hasHeard;
    });
    stop();
    await Promise.all(Array.from({ length: 50 }, () => Promise.all([first.check(), second.readInbox("demo/a", 1)])));
    const sessions = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'instance'";
    expect(await administer(server.connectionString, sessions)).toEqual([{ count: 8 }]);
  });

  it("should never leave half of a commit, and number without holes, when it stops in the middle of many [F158 store part]", async () => {
    const server = await ownServer();
    const store = createPostgresStore({ connectionString: server.connectionString });
    onTestFinished(() => store.close());
    await store.open();
    await startHandover(store, "demo/0", ["conversation:1"]);
    const results: Promise<string>[] = [];
    let hasFailed = false;
    const write = (index: number) =>
      store.commit(commitTo(`demo/${index % 5}`, { append: [newEntry(`${index}-a`), newEntry(`${index}-b`)] })).then(
        (result) => result.status,
        (error: unknown) => {
          hasFailed = true;
          return (error as { isRetryable?: boolean }).isRetryable === true ? "failed" : "wrong";
        },
      );
    const isStopped = () => hasFailed;
    let stopping: Promise<void> | undefined;
    for (let index = 0; !isStopped(); index += 1) {
      results.push(write(index));
      if (index === 300) stopping = server.stop();
      if (index % 20 === 0) await results.at(-1);
    }
    await stopping;
    const outcomes = await Promise.all(results);
    expect(new Set(outcomes)).toEqual(new Set(["committed", "failed"]));
    await server.start();
    for (let conversation = 0; conversation < 5; conversation += 1) {
      const entries = await store.readEntries(`demo/${conversation}`, { after: 0, limit: 10_000 });
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_entry, index) => index + 1));
      const ids = new Set(entries.map(({ id }) => id));
      for (const [index, outcome] of outcomes.entries()) {
        if (index % 5 !== conversation) continue;
        expect(ids.has(`${index}-a`)).toBe(ids.has(`${index}-b`));
        if (outcome === "committed") expect(ids).toContain(`${index}-a`);
      }
    }
  });
});
