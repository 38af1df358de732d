import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSqliteStore } from "@handover/store-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrate, migrations, readSchemaVersion } from "../src/migrations.ts";
import { usePrograms } from "./programs.ts";
import { useTemporaryFolders } from "./temporary-folder.ts";

const temporaryFolder = useTemporaryFolders();
const start = usePrograms();

async function openAndClose(path: string): Promise<void> {
  const store = createSqliteStore({ path });
  await store.open();
  await store.close();
}

describe("a store file that is used by somebody", () => {
  it("should stop a second process with STORE_IN_USE, and open after the first was killed [F021 store part]", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const first = start("open-store.ts", [path]);
    expect(await first.nextLine()).toBe("open");
    const store = createSqliteStore({ path });
    onTestFinished(() => store.close());
    await expect(store.open()).rejects.toMatchObject({ code: "STORE_IN_USE", message: expect.stringContaining(path) as string });
    const second = start("open-store.ts", [path]);
    expect(await second.nextLine()).toBe("STORE_IN_USE");
    await first.kill();
    await expect(store.open()).resolves.toBeUndefined();
    await expect(store.check()).resolves.toBeUndefined();
  });

  it("should see through another name of the file", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "handover.db");
    const store = createSqliteStore({ path });
    await store.open();
    onTestFinished(() => store.close());
    symlinkSync(path, join(folder, "link.db"));
    expect(await start("open-store.ts", [join(folder, "link.db")]).nextLine()).toBe("STORE_IN_USE");
  });

  it("should stop a second store of the same process, and not take the lock of the first away", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const store = createSqliteStore({ path });
    await store.open();
    onTestFinished(() => store.close());
    await expect(createSqliteStore({ path }).open()).rejects.toMatchObject({ code: "STORE_IN_USE" });
    expect(await start("open-store.ts", [path]).nextLine()).toBe("STORE_IN_USE");
  });

  it("should let one of several processes in that open a new file at once", async () => {
    const path = join(temporaryFolder(), "data", "handover.db");
    const programs = [0, 1, 2].map(() => start("open-store.ts", [path]));
    const lines = await Promise.all(programs.map((program) => program.nextLine()));
    expect(lines.sort()).toEqual(["STORE_IN_USE", "STORE_IN_USE", "open"]);
  });
});

describe("a store file that is new or cannot be used", () => {
  it("should make folder and file, readable by this user only", async () => {
    const folder = join(temporaryFolder(), "data");
    await openAndClose(join(folder, "deep", "handover.db"));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "deep", "handover.db")).mode & 0o777).toBe(0o600);
  });

  const superuser = process.getuid?.() === 0;
  /** Rights do not stop the superuser: the program becomes somebody else first. */
  const asOrdinaryUser = superuser ? ["65534"] : [];
  const readOnlyCases: readonly [string, (folder: string) => string][] = [
    [
      "file",
      (folder) => {
        writeFileSync(join(folder, "handover.db"), "");
        chmodSync(join(folder, "handover.db"), 0o444);
        return join(folder, "handover.db");
      },
    ],
    [
      "folder around a writable file",
      (folder) => {
        const closed = join(folder, "closed");
        mkdirSync(closed);
        writeFileSync(join(closed, "handover.db"), "");
        chmodSync(join(closed, "handover.db"), 0o666);
        chmodSync(closed, 0o555);
        return join(closed, "handover.db");
      },
    ],
    [
      "folder around a folder that has to be made",
      (folder) => {
        mkdirSync(join(folder, "closed"), { mode: 0o555 });
        return join(folder, "closed", "data", "handover.db");
      },
    ],
  ];
  it.each(readOnlyCases)("should find out at once that it is read-only: %s [F162 store part]", async (_name, prepare) => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    const program = start("open-store.ts", [prepare(folder), ...asOrdinaryUser]);
    expect(await program.nextLine()).toBe("STORE_READ_ONLY");
  });

  it("should refuse a file of a newer release, and leave it as it is [F163 store part]", async () => {
    const path = join(temporaryFolder(), "handover.db");
    await openAndClose(path);
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    database.close();
    const before = readFileSync(path);
    await expect(openAndClose(path)).rejects.toMatchObject({ code: "STORE_NEWER" });
    expect(readFileSync(path)).toEqual(before);
  });

  it("should refuse a database of another program, and leave it as it is", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE other (id INTEGER)");
    database.close();
    const before = readFileSync(path);
    await expect(openAndClose(path)).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("another program") as string,
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it("should refuse a file that is no database, with the cause", async () => {
    const path = join(temporaryFolder(), "handover.db");
    writeFileSync(path, "this is a text ".repeat(100));
    await expect(openAndClose(path)).rejects.toMatchObject({ code: "STORE_FAILED", cause: { errstr: "file is not a database" } });
  });

  it("should refuse a folder in the file's place", async () => {
    await expect(openAndClose(temporaryFolder())).rejects.toMatchObject({ code: "STORE_FAILED" });
  });
});

describe("migrations", () => {
  function newDatabase(): DatabaseSync {
    const database = new DatabaseSync(join(temporaryFolder(), "handover.db"));
    onTestFinished(() => database.close());
    return database;
  }

  it("should carry out the steps that a file lacks, once", () => {
    const database = newDatabase();
    migrate(database, 0, ["CREATE TABLE one (id INTEGER)"]);
    expect(readSchemaVersion(database, "x", 3)).toBe(1);
    migrate(database, 1, ["fails", "CREATE TABLE two (id INTEGER)", "INSERT INTO two VALUES (7)"]);
    expect(readSchemaVersion(database, "x", 3)).toBe(3);
    expect(database.prepare("SELECT id FROM two").all()).toEqual([{ id: 7 }]);
  });

  it("should undo all steps when one fails", () => {
    const database = newDatabase();
    expect(() => migrate(database, 0, ["CREATE TABLE one (id INTEGER)", "not SQL"])).toThrow();
    expect(readSchemaVersion(database, "x")).toBe(0);
    expect(database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()).toEqual({ count: 0 });
  });

  it("should log what was migrated, and nothing when nothing was", async () => {
    const path = join(temporaryFolder(), "handover.db");
    const lines: unknown[] = [];
    const log = (message: string, fields?: unknown) => void lines.push([message, fields]);
    const logger = { debug: log, info: log, warn: log, error: log };
    for (let count = 0; count < 2; count += 1) {
      const store = createSqliteStore({ path, logger });
      await store.open();
      await store.close();
    }
    expect(lines).toEqual([["store migrated", { from: 0, to: migrations.length }]]);
  });

  it("should leave only the one file behind when it is closed", async () => {
    const path = join(temporaryFolder(), "handover.db");
    await openAndClose(path);
    expect(existsSync(path)).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});
