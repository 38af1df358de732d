import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulators } from "../../../test/support/checked-simulators.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { startPostgres } from "../../../packages/store-postgres/test/support/postgres.ts";
import { newTestSchema, withoutPostgres } from "../../../packages/store-postgres/test/support/use-postgres.ts";
import { runCommandLine } from "../src/commands/run-command.ts";
import { loadConfiguration } from "../src/configuration/load-configuration.ts";
import { startHost, type Host } from "../src/host.ts";
import { createConsoleLogger } from "../src/logger.ts";
import { readOverlays } from "../src/provisioning/overlays.ts";
import { openEvents, readUntil } from "./support/read-events.ts";
import { runProgram } from "./support/run-program.ts";
import { createFolder, marked } from "./support/test-configuration.ts";
import { send } from "./support/test-host.ts";

const missing = await withoutPostgres();
const password = "MARKED-database-password";

/** A folder with a configuration whose store is `store`, and what starts hosts on it. */
interface Site {
  readonly folder: string;
  readonly file: string;
  readonly logLines: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  startHost(): Promise<Host>;
  run(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string; readonly errors: string }>;
}

async function openSite(store: string, environment: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = createFolder();
  const simulators = await startSimulators({ liveAgent: { apiKey: marked.apiKey } });
  const file = join(folder.path, "handover.yaml");
  writeFileSync(
    file,
    `plugins: [live-agent]
publicUrl: https://bot.example.com
listen: { port: 0 }
store: { postgres: ${store} }
connections:
  desk:
    provider: live-agent
    settings: { baseUrl: "${simulators.liveAgent.baseUrl}", accountId: "1", inboxId: 1, apiKey: "\${KEY}" }
endpoints: [{ token: support, access: open, bot: { demo: {} }, handover: { connections: [desk] } }]
`,
  );
  const logLines: string[] = [];
  const logger = createConsoleLogger((line) => void logLines.push(line));
  const hosts: Host[] = [];
  const variables = { KEY: marked.apiKey, ...environment };
  onTestFinished(async () => {
    await Promise.all(hosts.map((host) => host.stop()));
    await simulators.close();
    folder.remove();
  });
  return {
    folder: folder.path,
    file,
    logLines,
    environment: variables,
    async startHost() {
      const host = await startHost(await loadConfiguration(file, { environment: variables, readOverlays }), { logger });
      hosts.push(host);
      return host;
    },
    async run(...args) {
      const lines: string[] = [];
      const errors: string[] = [];
      const context = {
        environment: variables,
        print: (line: string) => void lines.push(line),
        printError: (line: string) => void errors.push(line),
      };
      const code = await runCommandLine(args, context);
      return { code, output: lines.join("\n"), errors: errors.join("\n") };
    },
  };
}

/** A site on a schema of its own, in the short or the long way to write it. */
async function openSiteOnSchema(): Promise<Site & { readonly schema: string }> {
  const { connectionString, schema } = await newTestSchema();
  const site = await openSite(`{ url: "\${DATABASE_URL}", schema: ${schema}, poolSize: 3 }`, { DATABASE_URL: connectionString });
  return { ...site, schema };
}

const conversation = (host: Host, id = "c") => `${host.url}/endpoints/support/conversations/${id}`;
const operatorFiles = ({ folder }: Site) =>
  readdirSync(join(folder, "data"))
    .filter((name) => name.endsWith(".operator.json"))
    .map((name) => join(folder, "data", name));

describe.skipIf(missing)("a host on PostgreSQL", () => {
  test("should boot with several others at once on an empty database, and share every conversation with them [F156 part: hosts]", async () => {
    const site = await openSiteOnSchema();
    const [first, second, third] = (await Promise.all([1, 2, 3].map(() => site.startHost()))) as [Host, Host, Host];
    await send("POST", `${conversation(first)}/messages`, { id: "1", text: "Hello" });
    const answered = await readUntil(conversation(second), ({ author }) => author?.role === "bot");
    expect(answered.map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await send("POST", `${conversation(third)}/messages`, { id: "1", text: "Hello" })).json).toEqual({ seq: 1 });
    await send("POST", `${conversation(third)}/messages`, { id: "2", text: "I need a human" });
    expect((await readUntil(conversation(first), ({ status }) => status === "queued")).at(-1)).toMatchObject({ status: "queued" });
    // One secret in the webhook URL, whichever instance made it.
    const urls = [first, second, third].map((host) => host.runtime.connections()[0]?.webhookUrl);
    expect(new Set(urls).size).toBe(1);
  });

  test("should not be ready while the database is away, and ready again without a restart [F126 store down, PostgreSQL]", async () => {
    const found = await startPostgres();
    if ("missing" in found) throw new Error(found.missing);
    onTestFinished(() => found.server.close());
    const site = await openSite('"${DATABASE_URL}"', { DATABASE_URL: found.server.connectionString });
    const host = await site.startHost();
    const ready = async () => (await send("GET", `${host.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    await found.server.stop();
    expect(await ready()).toBe(503);
    expect((await send("GET", `${host.url}/healthz`)).status).toBe(200);
    const refused = await send("POST", `${conversation(host)}/messages`, { id: "1", text: "Hello" });
    expect(refused).toMatchObject({ status: 503, json: { code: "STORE_FAILED" } });
    expect(refused.headers.get("retry-after")).toBe("1");
    const reading = await openEvents(`${conversation(host)}/events`).catch(() => undefined);
    reading?.close();
    await found.server.start();
    await expect.poll(ready).toBe(200);
    expect((await send("POST", `${conversation(host)}/messages`, { id: "1", text: "Hello" })).status).toBe(202);
    await readUntil(conversation(host), ({ author }) => author?.role === "bot");
    expect(`${site.logLines.join("\n")}${refused.text}`).not.toContain("postgres:postgres");
  });

  test("should say what to do when it cannot rely on its database, and never its password [F112 the database's password]", async () => {
    const { connectionString, schema } = await newTestSchema();
    const url = new URL(connectionString);
    const changed = (change: (url: URL) => void) => {
      const other = new URL(connectionString);
      other.password = password;
      change(other);
      return other.href;
    };
    const right = (options: string) => `${connectionString}?options=${encodeURIComponent(`-c ${options}`)}`;
    const cases: readonly (readonly [string, RegExp])[] = [
      [changed((other) => (other.port = "1")), /cannot be reached: PostgreSQL at 127\.0\.0\.1:1\/postgres.*ECONNREFUSED.*store\.postgres/],
      [changed((other) => (other.username = "nobody")), /Check user and password/],
      [right("default_transaction_read_only=on"), /cannot be written to.*primary/],
      [right("synchronous_commit=off"), /synchronous_commit off.*Turn it on/],
    ];
    for (const [database, cure] of cases) {
      const site = await openSite(`{ url: "\${DATABASE_URL}", schema: ${schema} }`, { DATABASE_URL: database });
      await expect(site.startHost()).rejects.toThrow(cure);
      const checked = await site.run("check", "--config", site.file);
      expect(checked).toMatchObject({ code: 1, errors: expect.stringMatching(cure) as unknown });
      expect(`${checked.errors}${site.logLines.join("\n")}`).not.toMatch(/MARKED|postgres:postgres/);
    }
    expect(url.password).toBe("postgres");
  });

  test("should show where the data is, and no password, when it starts and when it is checked [F112 the database's password]", async () => {
    const site = await openSiteOnSchema();
    const program = runProgram("start", ["--config", site.file], { folder: site.folder, environment: site.environment });
    onTestFinished(async () => {
      program.kill("SIGKILL");
      await program.exited;
    });
    const said = await program.wrote("Stop with Ctrl-C");
    expect(said).toMatch(/Data +PostgreSQL at 127\.0\.0\.1:\d+\/postgres, schema test_/);
    const checked = await site.run("check", "--config", site.file, "--json");
    expect(JSON.parse(checked.output)).toMatchObject({
      configuration: { store: expect.stringMatching(/^PostgreSQL at .* schema test_/) as unknown },
    });
    expect(said + checked.output + checked.errors).not.toContain("postgres:postgres");
  });
});

describe.skipIf(missing)("the command line and hosts on PostgreSQL", () => {
  test("should ask one of the hosts of this machine, and the database itself where none runs", async () => {
    const site = await openSiteOnSchema();
    const webhookOf = async () => /webhook +(\S+)/.exec((await site.run("check", "--config", site.file, "--webhooks")).output)?.[1];
    const before = await webhookOf();
    const [first, second] = [await site.startHost(), await site.startHost()];
    expect(first.runtime.connections()[0]?.webhookUrl).toBe(before);
    expect(operatorFiles(site)).toHaveLength(2);
    for (const file of operatorFiles(site)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await webhookOf()).toBe(before);
    await first.stop();
    expect(operatorFiles(site)).toHaveLength(1);
    expect(await webhookOf()).toBe(before);
    await second.stop();
    expect(operatorFiles(site)).toEqual([]);
    expect(await webhookOf()).toBe(before);
  });

  test("should not ask the host of another database", async () => {
    const [site, other] = [await openSiteOnSchema(), await openSiteOnSchema()];
    const shared = { HANDOVER_DATA: join(site.folder, "data") };
    const otherHost = await startHost(await loadConfiguration(other.file, { environment: { ...other.environment, ...shared } }), {
      logger: createConsoleLogger(() => undefined),
    });
    onTestFinished(() => otherHost.stop());
    expect(operatorFiles(site)).toHaveLength(1);
    const { output } = await site.run("check", "--config", site.file, "--webhooks");
    expect(output).not.toContain(otherHost.runtime.connections()[0]?.webhookUrl);
  });

  test("should not keep a host from starting where its file cannot be written", async () => {
    const site = await openSiteOnSchema();
    writeFileSync(join(site.folder, "data"), "not a folder");
    const host = await site.startHost();
    expect((await send("GET", `${host.url}/readyz`)).status).toBe(200);
    expect(site.logLines.join("\n")).toContain("the command line will not find this host");
  });
});
