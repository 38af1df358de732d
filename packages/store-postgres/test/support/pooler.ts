import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../../test/support/free-port.ts";
import { until } from "./use-postgres.ts";

/** PgBouncer in front of a server, giving a connection of the server away anew for each transaction. */
export interface TransactionPooler {
  readonly connectionString: string;
  close(): Promise<void>;
}

/** Why tests are left out on this machine; absent where PgBouncer is installed. */
export function withoutPooler(): string | undefined {
  if (!spawnSync("pgbouncer", ["--version"]).error) return undefined;
  const missing = "PgBouncer is not installed";
  console.warn(`Left out: tests behind a transaction pooler (${missing}).`);
  return missing;
}

/** Fewer connections to the server than stores hold to the pooler, so that these really are shared. */
const serverConnections = 3;

/** Starts a pooler that leads to the database of a connection string. */
export async function startTransactionPooler(connectionString: string): Promise<TransactionPooler> {
  const { hostname, port, pathname, username, password } = new URL(connectionString);
  const database = pathname.slice(1);
  const folder = await mkdtemp(join(tmpdir(), "handover-pooler-"));
  const listenPort = await freePort();
  const users = join(folder, "users.txt");
  await writeFile(users, `"${username}" "${password}"\n`);
  const settings = [
    "[databases]",
    `${database} = host=${hostname} port=${port} dbname=${database} password=${password}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${listenPort}`,
    "unix_socket_dir =",
    "auth_type = plain",
    `auth_file = ${users}`,
    "pool_mode = transaction",
    `default_pool_size = ${serverConnections}`,
    "max_client_conn = 200",
  ];
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, `${settings.join("\n")}\n`);
  await chmod(folder, 0o755);
  // It refuses to run as the administrator of the machine.
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn("pgbouncer", [...asUser, file], { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const gone = once(child, "close");
  await until(`PgBouncer, which said: ${output}`, () => canConnect(listenPort));
  return {
    connectionString: `postgres://${username}:${password}@127.0.0.1:${listenPort}/${database}`,
    async close() {
      child.kill("SIGKILL");
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
