import type { Logger } from "@handover/core";
import { createPostgresStore } from "@handover/store-postgres";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrate, migrations } from "../src/migrations.ts";
import { startPostgres } from "./support/postgres.ts";
import { administer, newTestSchema, withoutPostgres } from "./support/use-postgres.ts";

const missing = await withoutPostgres();

function collectLog(): { readonly lines: unknown[]; readonly logger: Logger } {
  const lines: unknown[] = [];
  const log = (message: string, fields?: unknown) => void lines.push([message, fields]);
  return { lines, logger: { debug: log, info: log, warn: log, error: log } };
}

const text = (part: string) => expect.stringContaining(part) as string;

describe.skipIf(missing)("a schema that is new or known", () => {
  it("should be made once when many instances start at the same time", async () => {
    const { schema, open, query } = await newTestSchema();
    const { lines, logger } = collectLog();
    const stores = await Promise.all(Array.from({ length: 8 }, () => open({ logger })));
    for (const store of stores) await expect(store.check()).resolves.toBeUndefined();
    expect(lines).toEqual([["store migrated", { from: 0, to: migrations.length }]]);
    expect(await query("SELECT version FROM %.store")).toEqual([{ version: migrations.length }]);
    expect(await query("SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = $1", [schema])).toEqual([{ count: 1 }]);
  });

  it("should be taken as it is where an administrator made it empty", async () => {
    const { schema, connectionString, query } = await newTestSchema();
    await query("CREATE SCHEMA %");
    await query("CREATE ROLE %_app LOGIN PASSWORD 'secret'");
    onTestFinished(() =>
      administer(connectionString, `DROP OWNED BY ${schema}_app CASCADE; DROP ROLE ${schema}_app`).then(() => undefined),
    );
    await query("GRANT USAGE, CREATE ON SCHEMA % TO %_app");
    const url = new URL(connectionString);
    url.username = `${schema}_app`;
    url.password = "secret";
    const store = createPostgresStore({ connectionString: url.href, schema });
    await store.open();
    await expect(store.check()).resolves.toBeUndefined();
    await store.close();
  });

  it("should keep two schemas of one database apart [F087 two stores of one database]", async () => {
    const [one, other] = [await newTestSchema(), await newTestSchema()];
    const [first, second] = [await one.open(), await other.open()];
    await first.writeMemory("scope", "key", "first");
    expect(await second.readMemory("scope", "key")).toBeUndefined();
  });

  it("should refuse the schema of a newer release, and leave it as it is [F163 store part]", async () => {
    const { open, query } = await newTestSchema();
    await (await open()).close();
    await query("UPDATE %.store SET version = $1", [migrations.length + 1]);
    const before = await query("SELECT * FROM %.store");
    await expect(open()).rejects.toMatchObject({ code: "STORE_NEWER", isRetryable: false });
    expect(await query("SELECT * FROM %.store")).toEqual(before);
  });

  it("should refuse a schema of another program, and leave it as it is", async () => {
    const { open, query, schema } = await newTestSchema();
    await query("CREATE SCHEMA %");
    await query("CREATE TABLE %.conversations (id integer)");
    await expect(open()).rejects.toMatchObject({ code: "STORE_FAILED", message: text("another program") });
    expect(await query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [schema])).toEqual([{ tablename: "conversations" }]);
  });

  it("should undo all steps of a migration when one fails", async () => {
    const { connectionString, schema, query } = await newTestSchema();
    const client = new Client({ connectionString });
    await client.connect();
    onTestFinished(() => client.end());
    await expect(migrate(client, schema, "here", [...migrations, () => "not SQL"])).rejects.toThrow();
    expect(await query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema])).toEqual([]);
    await migrate(client, schema, "here");
    const added = (quoted: string) => `CREATE TABLE ${quoted}.added (id integer)`;
    expect(await migrate(client, schema, "here", [...migrations, added])).toBe(migrations.length);
    expect(await query("SELECT version FROM %.store")).toEqual([{ version: migrations.length + 1 }]);
    expect(await query("SELECT count(*)::int AS count FROM %.added")).toEqual([{ count: 0 }]);
  });

  it.each(["", "Upper", "with space", 'quote"', "1st", "x".repeat(51)])("should not take %j as the name of a schema", (schema) => {
    expect(() => createPostgresStore({ connectionString: "postgres://127.0.0.1/x", schema })).toThrow(/name of the schema/);
  });

  it("should take a word of SQL as the name of a schema", async () => {
    const { connectionString } = await newTestSchema();
    const store = createPostgresStore({ connectionString, schema: "user" });
    onTestFinished(() => administer(connectionString, 'DROP SCHEMA "user" CASCADE').then(() => undefined));
    await store.open();
    await store.claimMemory("scope", "key", 1);
    await store.close();
  });
});

describe.skipIf(missing)("a server that the store cannot rely on", () => {
  it("should be refused when it is a replica, and taken when it is the primary again [F162 store part]", async () => {
    const found = await startPostgres();
    if ("missing" in found) throw new Error(found.missing);
    const { server } = found;
    onTestFinished(() => server.close());
    const { connectionString } = server;
    const store = createPostgresStore({ connectionString });
    onTestFinished(() => store.close());
    await store.open();
    await store.close();
    await server.stop();
    await server.startAsReplica();
    await expect(store.open()).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    await server.stop();
    await server.start();
    await expect(store.open()).resolves.toBeUndefined();
  });

  it("should be refused when the user may only read [F162 store part]", async () => {
    const { open, connectionString } = await newTestSchema();
    await (await open()).close();
    const readOnly = `${connectionString}?options=-c%20default_transaction_read_only%3Don`;
    await expect(open({ connectionString: readOnly })).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
  });

  it("should be noticed when it goes read-only while the store is open, and when it is over [F162 store part]", async () => {
    const { open, query, schema, connectionString } = await newTestSchema();
    await query("CREATE ROLE %_app LOGIN SUPERUSER PASSWORD 'secret'");
    onTestFinished(() =>
      administer(connectionString, `REASSIGN OWNED BY ${schema}_app TO postgres; DROP ROLE ${schema}_app`).then(() => undefined),
    );
    const url = new URL(connectionString);
    url.username = `${schema}_app`;
    url.password = "secret";
    const store = await open({ connectionString: url.href, poolSize: 1 });
    const endConnections = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${schema}_app'`;
    await query("ALTER ROLE %_app SET default_transaction_read_only = on");
    await query(endConnections);
    await expect.poll(() => store.check().then(String, (error: unknown) => (error as { code: string }).code)).toBe("STORE_READ_ONLY");
    // The connections that saw it are not used again.
    await query("ALTER ROLE %_app RESET default_transaction_read_only");
    await expect(store.check()).resolves.toBeUndefined();
  });

  it("should be refused while what it has accepted could be lost", async () => {
    const { open, connectionString } = await newTestSchema();
    const careless = `${connectionString}?options=-c%20synchronous_commit%3Doff`;
    await expect(open({ connectionString: careless })).rejects.toMatchObject({ code: "STORE_FAILED", message: text("synchronous_commit") });
  });

  it("should be refused when its database cannot hold every text", async () => {
    const { open, query, connectionString, schema } = await newTestSchema();
    await query("CREATE DATABASE % ENCODING 'SQL_ASCII' TEMPLATE template0");
    onTestFinished(() => administer(connectionString, `DROP DATABASE ${schema}`).then(() => undefined));
    const url = new URL(connectionString);
    url.pathname = schema;
    await expect(open({ connectionString: url.href })).rejects.toMatchObject({ code: "STORE_FAILED", message: text("UTF8") });
  });

  const wrong: readonly [string, (url: URL) => void, object][] = [
    ["password", (url) => (url.password = "wrong-secret"), { code: "STORE_FAILED", isRetryable: false, message: text("password") }],
    ["database", (url) => (url.pathname = "nowhere"), { code: "STORE_FAILED", isRetryable: false, message: text("Create it") }],
    ["port", (url) => (url.port = "1"), { code: "STORE_FAILED", isRetryable: true, message: text("127.0.0.1:1/") }],
  ];
  it.each(wrong)("should name what is wrong, and no secret: %s", async (_name, change, expected) => {
    const { open, connectionString } = await newTestSchema();
    const url = new URL(connectionString);
    change(url);
    for (const options of [{ connectionString: url.href }, { listenConnectionString: url.href }]) {
      const error = await open(options).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      expect(error).toMatchObject(expected);
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/secret|postgres:postgres/);
    }
  });

  it("should not repeat a connection string that cannot be read", () => {
    const connectionString = "postgres://user:secret@[bad/database";
    expect(() => createPostgresStore({ connectionString })).toThrow(/cannot be read/);
    try {
      createPostgresStore({ connectionString });
    } catch (error) {
      expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain("secret");
    }
  });

  it("should leave no connection behind when it is closed while it opens", async () => {
    const { connectionString, schema } = await newTestSchema();
    const store = createPostgresStore({ connectionString: `${connectionString}?application_name=${schema}`, schema });
    const opening = store.open();
    await store.close();
    await opening;
    await expect(store.check()).rejects.toMatchObject({ code: "STORE_FAILED" });
    const count = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1";
    await expect.poll(() => administer(connectionString, count, [schema])).toEqual([{ count: 0 }]);
  });

  it("should leave no connection behind when it is refused", async () => {
    const { open, connectionString, schema } = await newTestSchema();
    const url = new URL(connectionString);
    url.searchParams.set("application_name", schema);
    const listen = new URL(connectionString);
    listen.pathname = "nowhere";
    await expect(open({ connectionString: url.href, listenConnectionString: listen.href })).rejects.toThrow();
    const count = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1";
    await expect.poll(() => administer(connectionString, count, [schema])).toEqual([{ count: 0 }]);
  });
});
