import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import type { OpenedStore } from "@handover/testkit";
import { schemaContains } from "./search.ts";
import { administer, dropSchema, newSchema, sharedConnectionString } from "./use-postgres.ts";

/** A store for the suite, in a schema of its own. `connectionString` leads there; by default, directly. */
export async function openForSuite(connectionString?: string): Promise<OpenedStore> {
  const direct = await sharedConnectionString();
  const schema = newSchema();
  const opened: Store[] = [];
  const open = async (): Promise<Store> => {
    const store = createPostgresStore({
      connectionString: connectionString ?? direct,
      listenConnectionString: direct,
      schema,
      poolSize: 4,
    });
    opened.push(store);
    await store.open();
    return store;
  };
  const closeAll = () => Promise.all(opened.map((one) => one.close()));
  return {
    store: await open(),
    async reopen() {
      await closeAll();
      return open();
    },
    another: open,
    async passTime(ms) {
      await administer(
        direct,
        `UPDATE ${schema}.conversations SET claimable_at = claimable_at - $1 * interval '1 millisecond' WHERE claimable_at IS NOT NULL`,
        [ms],
      );
    },
    contains: (text) => schemaContains(direct, schema, text),
    async cleanup() {
      await closeAll();
      await dropSchema(direct, schema);
    },
  };
}
