import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createSqliteStore } from "@handover/store-sqlite";
import type { Contender, OpenContender } from "./compare.ts";
import { openHeap, openLog } from "./sqlite-floors.ts";
import type { SqliteFloor } from "./sqlite-floors.ts";
import { commitOf, conversationOf, conversationsOf, entryOf } from "./workload.ts";
import type { Workload } from "./workload.ts";

/** The SQLite store. */
export function sqliteStore(folder: string, workload: Workload): Contender {
  return onFreshFile(folder, async (path) => {
    const store = createSqliteStore({ path });
    await store.open();
    await Promise.all(conversationsOf(workload).map((conversation) => store.commit(commitOf(conversation, []))));
    return {
      call: (index) => store.commit(commitOf(conversationOf(index, workload), [entryOf(index)])),
      close: () => store.close(),
    };
  });
}

/** The least that keeps the same promises; see `openLog`. */
export function sqliteLog(folder: string, workload: Workload): Contender {
  return bare(folder, workload, (path) => openLog(path, conversationsOf(workload)));
}

/** What keeps none of them; see `openHeap`. */
export function sqliteHeap(folder: string, workload: Workload): Contender {
  return bare(folder, workload, openHeap);
}

function bare(folder: string, workload: Workload, open: (path: string) => SqliteFloor): Contender {
  return onFreshFile(folder, async (path) => {
    const floor = open(path);
    return {
      call: (index) => floor.append({ conversation: conversationOf(index, workload), entry: entryOf(index) }),
      close: async () => floor.close(),
    };
  });
}

/** Hands over the path of a file that is gone after the round. */
export function onFreshFile(folder: string, open: (path: string) => Promise<OpenContender>): Contender {
  return {
    async open() {
      const own = await mkdtemp(join(folder, "sqlite-"));
      const opened = await open(join(own, "bench.db"));
      return {
        call: opened.call,
        async close() {
          await opened.close();
          await rm(own, { recursive: true, force: true });
        },
      };
    },
  };
}
