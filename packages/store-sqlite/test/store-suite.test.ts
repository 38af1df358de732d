import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { describeHandoverStore } from "@handover/testkit";
import { prepareEarlierFile } from "./earlier-files.ts";
import { usePrograms } from "./programs.ts";

const start = usePrograms();

describeHandoverStore({
  name: "SQLite",
  earlier: [{ name: "schema 1", prepare: () => prepareEarlierFile(1, start) }],
  async open() {
    const folder = await mkdtemp(join(tmpdir(), "handover-store-"));
    const path = join(folder, "handover.db");
    const stores: Store[] = [];
    const create = (): Store => {
      const store = createSqliteStore({ path });
      stores.push(store);
      return store;
    };
    const store = create();
    await store.open();
    return {
      store,
      async reopen() {
        await Promise.all(stores.map((one) => one.close()));
        const reopened = create();
        await reopened.open();
        return reopened;
      },
      rival: create,
      async contains(text) {
        const files = await readdir(folder);
        const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
        return contents.some((content) => content.includes(text));
      },
      async cleanup() {
        await Promise.all(stores.map((one) => one.close()));
        await rm(folder, { recursive: true });
      },
    };
  },
});
