import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStore } from "@handover/store-sqlite";
import { describeHandoverStore } from "@handover/testkit";

describeHandoverStore({
  name: "SQLite",
  async open() {
    const folder = await mkdtemp(join(tmpdir(), "handover-store-"));
    const path = join(folder, "handover.db");
    let store = createSqliteStore({ path });
    await store.open();
    return {
      store,
      async reopen() {
        await store.close();
        store = createSqliteStore({ path });
        await store.open();
        return store;
      },
      async cleanup() {
        await store.close();
        await rm(folder, { recursive: true });
      },
    };
  },
});
