import { join } from "node:path";
import { createSqliteStore } from "@handover/store-sqlite";
import type { Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { newDelivery } from "../../testkit/src/store-suite/records.ts";
import { usePrograms } from "./programs.ts";
import type { Program } from "./programs.ts";
import { useTemporaryFolders } from "./temporary-folder.ts";

const temporaryFolder = useTemporaryFolders();
const start = usePrograms();

describe("a process that ends without warning", () => {
  it("should lose nothing that had resolved, and leave nothing half done [F003 store part] [F157 store part]", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const printed: string[] = [];
    for (const [round, lineCount] of [1, 40, 333, 1200].entries()) {
      const program = start("write-until-killed.ts", [path, `${round}`]);
      await readLines(program, lineCount);
      await program.kill();
      printed.push(...program.lines);
      await inspect(path, printed);
    }
  });

  it("should lose nothing that had resolved when the disk is full, and reject the rest", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const program = start("write-until-killed.ts", [path], { fileBlocks: 2000 });
    while ((await program.nextLine()) !== undefined);
    await program.kill();
    expect(program.lines.at(-1)).toBe("failed STORE_FAILED");
    expect(program.lines.length).toBeGreaterThan(100);
    await inspect(path, program.lines.slice(0, -1));
  });
});

async function readLines(program: Program, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    if ((await program.nextLine()) === undefined) throw new Error("The program ended by itself.");
  }
}

/** Opens the store after a crash and compares it with what the program was told. */
async function inspect(path: string, printed: readonly string[]): Promise<void> {
  const store = createSqliteStore({ path });
  await store.open();
  try {
    for (const line of printed) await expectToBeThere(store, line);
    for (let conversation = 0; conversation < 5; conversation += 1) await expectToBeWhole(store, `demo/${conversation}`);
  } finally {
    await store.close();
  }
}

async function expectToBeThere(store: Store, line: string): Promise<void> {
  const [kind, first = "", id = "", seq] = line.split(" ");
  if (kind === "entry") expect(await store.findEntry(first, "user", id), line).toMatchObject({ id, seq: Number(seq) });
  else expect(await store.receive([newDelivery(first, [], { accountKey: "account" })]), line).toMatchObject({ repeated: 1 });
}

/** Numbers without holes, and every commit with both of its entries, its handover and its address. */
async function expectToBeWhole(store: Store, key: string): Promise<void> {
  const entries = await store.readEntries(key, { after: 0, limit: 1_000_000 });
  expect((await store.readConversation(key))?.lastSeq ?? 0).toBe(entries.length);
  for (const [index, { seq, id }] of entries.entries()) {
    expect(seq).toBe(index + 1);
    expect(id.endsWith(index % 2 === 0 ? "-first" : "-second")).toBe(true);
    const handover = id.slice(0, id.lastIndexOf("-"));
    expect(await store.findHandover("account", [`conversation:${handover}`])).toMatchObject({ id: handover, conversation: key });
  }
}
