import type { Store } from "@handover/runtime";
import type { TransferStore } from "./blob-transfer.ts";
import { clearLog } from "./clear-log.ts";

/** Takes all content of a conversation, piece by piece. */
export async function erase(store: TransferStore, key: string): Promise<"erased" | "waiting"> {
  const result = await eraseBefore(store, key, Infinity);
  clearLog(store.database);
  return result;
}

export async function eraseDue(store: TransferStore, { beforeMs, limit }: Parameters<Store["eraseDue"]>[0]): Promise<number> {
  let count = 0;
  for (; count < limit; count += 1) {
    const due = store.tables.erasure.nextDue(beforeMs);
    if (!due) break;
    await eraseBefore(store, due.key, due.isWhole ? Infinity : (beforeMs ?? 0));
  }
  if (count > 0) clearLog(store.database);
  return count;
}

async function eraseBefore({ queue, tables }: TransferStore, key: string, beforeMs: number): Promise<"erased" | "waiting"> {
  for (;;) {
    const piece = await queue.add(() => {
      const result = tables.erasure.erasePiece(key, beforeMs);
      if (result === "waiting" && beforeMs === Infinity) tables.erasure.mark(key);
      return result;
    });
    if (piece !== "more") return piece;
  }
}

export async function eraseMemory({ database, queue, tables }: TransferStore, scopes: readonly string[]): Promise<void> {
  await queue.add(() => scopes.forEach((scope) => tables.erasure.eraseMemory(scope)));
  clearLog(database);
}
