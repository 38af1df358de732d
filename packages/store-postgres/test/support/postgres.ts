import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A PostgreSQL server on 127.0.0.1 with an empty database. */
export interface PostgresServer {
  readonly connectionString: string;
  /** Stops it, as an administrator does in a hurry: whatever is connected is cut off. */
  stop(): Promise<void>;
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>;
  /** Starts it again as a replica, which takes no writes. */
  startAsReplica(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** A server, or why there is none on this machine. */
export type MaybePostgres = { readonly server: PostgresServer } | { readonly missing: string };

const shared = Symbol.for("handover.test.postgres");
const program = fileURLToPath(new URL("../programs/postgres-server.ts", import.meta.url));

/** The server that all test files of this thread share. It ends with the thread, also when that fails or is killed. */
export function sharedPostgres(): Promise<MaybePostgres> {
  const place = globalThis as { [shared]?: Promise<MaybePostgres> | undefined };
  place[shared] ??= startPostgres();
  return place[shared];
}

/** A server of one's own, to stop it and start it again. */
export async function startPostgres(): Promise<MaybePostgres> {
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "pipe"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const problems: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => problems.push(chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("error", (error) => problems.push(error.message));
  child.stdin.on("error", () => undefined);

  async function expectLine(wanted: RegExp): Promise<string> {
    const { value = "" } = (await lines.next()) as { value?: string };
    if (wanted.test(value)) return value;
    await ended;
    throw new Error(`PostgreSQL did not do what it was told: ${problems.join("").slice(0, 2_000)}`);
  }
  async function tell(word: string, answer: RegExp): Promise<void> {
    child.stdin.write(`${word}\n`);
    await expectLine(answer);
  }

  try {
    const [, port = ""] = (await expectLine(/^ready \d+$/)).split(" ");
    // A test run does not wait for it: it ends when its input does.
    for (const held of [child, child.stdin, child.stdout, child.stderr] as { unref?(): void }[]) held.unref?.();
    return {
      server: {
        connectionString: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
        stop: () => tell("stop", /^stopped$/),
        start: () => tell("start", /^ready \d+$/),
        startAsReplica: () => tell("start-replica", /^ready \d+$/),
        async close() {
          child.ref();
          child.stdin.end();
          await ended;
        },
      },
    };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
