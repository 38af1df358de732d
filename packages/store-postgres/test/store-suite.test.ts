import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { describeHandoverStore } from "@handover/testkit";
import { describe } from "vitest";
import { dropSchema, newSchema, sharedConnectionString, withoutPostgres } from "./support/use-postgres.ts";

describe.skipIf(await withoutPostgres())("with PostgreSQL", () => {
  describeHandoverStore({
    name: "PostgreSQL",
    async open() {
      const connectionString = await sharedConnectionString();
      const schema = newSchema();
      const opened: Store[] = [];
      const open = async (): Promise<Store> => {
        const store = createPostgresStore({ connectionString, schema, poolSize: 4 });
        opened.push(store);
        await store.open();
        return store;
      };
      const store = await open();
      return {
        store,
        async reopen() {
          await store.close();
          return open();
        },
        another: open,
        async cleanup() {
          await Promise.all(opened.map((one) => one.close()));
          await dropSchema(connectionString, schema);
        },
      };
    },
  });
});
