import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSqliteStore } from "@handover/store-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { canary, fillWithCanaries } from "../../testkit/src/store-suite/canary.ts";
import { someTimeMs } from "../../testkit/src/store-suite/records.ts";
import { searches } from "../src/erasure.ts";
import { useTemporaryFolders } from "./temporary-folder.ts";

const temporaryFolder = useTemporaryFolders();
const others = 100_000;

/** Searches that would look at every conversation. */
function slowSearches(database: DatabaseSync): readonly string[] {
  const plans = Object.values(searches).map(
    (statement) => database.prepare(`EXPLAIN QUERY PLAN ${statement}`).all() as { detail: string }[],
  );
  return plans.flat().flatMap(({ detail }) => (/TEMP B-TREE|^SCAN/.test(detail) && !detail.includes("INDEX") ? [detail] : []));
}

describe("a store with many conversations", () => {
  it("should lose one user, and what has expired in one sweep, and nothing else [F127]", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const first = createSqliteStore({ path });
    await first.open();
    for (const key of ["demo/user", "demo/expired", "demo/also-expired"]) await fillWithCanaries(first, key);
    await first.close();
    const database = new DatabaseSync(path);
    onTestFinished(() => {
      if (database.isOpen) database.close();
    });
    database.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${others})
       INSERT INTO conversations (key, json, last_seq, user_id, content_from)
       SELECT 'many/' || n, json_object('endpoint', 'many', 'user', json_object('id', 'u' || n)), n, 'u' || n, ${someTimeMs} + n FROM numbers`,
    );
    expect(slowSearches(database)).toEqual([]);
    const many = "SELECT count(*) AS count, sum(last_seq) AS counters, count(user_id) AS users FROM conversations WHERE key LIKE 'many/%'";
    const before = database.prepare(many).get();
    database.close();

    const store = createSqliteStore({ path });
    await store.open();
    expect(await store.listConversationsOfUser({ user: "user-of-demo/user", limit: 10 })).toEqual(["demo/user"]);
    expect(await store.erase("demo/user")).toBe("erased");
    expect(await store.listConversationsOfUser({ user: "user-of-demo/user", limit: 10 })).toEqual([]);
    expect(await store.readConversation("demo/user")).toMatchObject({ lastSeq: 4, handoverCount: 1 });
    expect(await store.eraseDue({ beforeMs: someTimeMs + 1, limit: 1000 })).toBe(2);
    await store.close();
    expect(readFileSync(path).includes(canary)).toBe(false);
    const after = new DatabaseSync(path);
    onTestFinished(() => after.close());
    expect(after.prepare(many).get()).toEqual(before);
  });
});

describe("what an erasure looks for", () => {
  it.each([
    ["marked", "conversations_to_erase"],
    ["old", "conversations_content"],
    ["ofUser", "conversations_user"],
  ] as const)("should be found by an index, however many conversations there are: %s [F127 indexed]", async (name, index) => {
    const path = join(temporaryFolder(), "handover.db");
    const store = createSqliteStore({ path });
    await store.open();
    await store.close();
    const database = new DatabaseSync(path);
    onTestFinished(() => database.close());
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${searches[name]}`).all() as unknown as { detail: string }[];
    expect(plan.map(({ detail }) => detail)).toContainEqual(expect.stringContaining(`USING INDEX ${index}`) as string);
    expect(plan.map(({ detail }) => detail).filter((detail) => /TEMP B-TREE|^SCAN/.test(detail) && !detail.includes("INDEX"))).toEqual([]);
  });
});
