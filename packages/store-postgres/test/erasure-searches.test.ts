import { describe, expect, it } from "vitest";
import { canary, fillWithCanaries } from "../../testkit/src/store-suite/canary.ts";
import { someTimeMs } from "../../testkit/src/store-suite/records.ts";
import { searches } from "../src/erasure.ts";
import { schemaContains } from "./support/search.ts";
import { newTestSchema, withoutPostgres } from "./support/use-postgres.ts";

const others = 20_000;

describe.skipIf(await withoutPostgres())("a store with many conversations", () => {
  it("should lose one user, and what has expired in one sweep, and nothing else [F127]", async () => {
    const { open, query, schema, connectionString } = await newTestSchema();
    const store = await open();
    for (const key of ["demo/user", "demo/expired", "demo/also-expired"]) await fillWithCanaries(store, key);
    await query(
      `INSERT INTO %.conversations (key, address, last_seq, content_from, must_erase, user_record)
       SELECT 'many/' || n, '{}', n, ${someTimeMs} + n, false, json_build_object('id', 'u' || n) FROM generate_series(1, ${others}) AS n;
       ANALYZE %.conversations`,
    );
    const { marked, old, ofUser } = searches(schema);
    const ofOne = ofUser.replace("$1", "sha256('\"u7\"')").replace("$2", "''").replaceAll("$3", "NULL").replace("$4", "10");
    const indexes = {
      conversations_to_erase: marked,
      conversations_content: old.replace("$1", `${someTimeMs + 1}`),
      conversations_user: ofOne,
    };
    for (const [index, statement] of Object.entries(indexes)) {
      const plan = (await query<{ "QUERY PLAN": string }>(`EXPLAIN ${statement}`)).map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).toContain(index);
      expect(plan).not.toContain("Seq Scan on conversations");
    }
    expect(await query(ofOne)).toEqual([{ key: "many/7" }]);

    const many = "SELECT count(*), sum(last_seq), count(user_record) AS users FROM %.conversations WHERE starts_with(key, 'many/')";
    const before = await query(many);
    expect(await store.listConversationsOfUser({ user: "user-of-demo/user", limit: 10 })).toEqual(["demo/user"]);
    expect(await store.erase("demo/user")).toBe("erased");
    expect(await store.listConversationsOfUser({ user: "user-of-demo/user", limit: 10 })).toEqual([]);
    expect(await store.readConversation("demo/user")).toMatchObject({ lastSeq: 4, handoverCount: 1 });
    expect(await store.eraseDue({ beforeMs: someTimeMs + 1, limit: 1000 })).toBe(2);
    expect(await schemaContains(connectionString, schema, canary)).toBe(false);
    expect(await query(many)).toEqual(before);
  });
});
