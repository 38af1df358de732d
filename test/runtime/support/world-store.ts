import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeClock, Store } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";

/** The stores that a world can stand on. */
export type StoreName = "sqlite" | "postgres";

/** A file or a schema of its own, and stores on it. */
export interface WorldStore {
  /** One for each runtime; a store that was closed is not opened again. */
  create(clock?: RuntimeClock): Store;
  /** When all stores are closed: the file or the schema is gone. */
  remove(): Promise<void>;
}

/** Nothing is made before a store is opened. */
export function createWorldStore(name: StoreName): Promise<WorldStore> {
  return name === "sqlite" ? sqliteFile() : postgresSchema();
}

async function sqliteFile(): Promise<WorldStore> {
  const folder = await mkdtemp(join(tmpdir(), "handover-world-"));
  return {
    create: (clock) => createSqliteStore({ path: join(folder, "handover.db"), ...(clock ? { clock } : {}) }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The server is loaded and started by the first test that wants it, and shared by all test files of a thread. */
async function postgresSchema(): Promise<WorldStore> {
  const { createPostgresStore } = await import("@handover/store-postgres");
  const { dropSchema, newSchema, sharedConnectionString } = await import("../../../packages/store-postgres/test/support/use-postgres.ts");
  const connectionString = await sharedConnectionString();
  const schema = newSchema();
  return {
    create: (clock) => createPostgresStore({ connectionString, schema, poolSize: 5, ...(clock ? { clock } : {}) }),
    remove: () => dropSchema(connectionString, schema),
  };
}

/** A store as a process sees it that may be killed. */
export interface MortalStore {
  readonly store: Store;
  /** Calls that have not come back yet. */
  readonly callCount: number;
  /** From now on nothing is answered and nothing is told: whoever waits for the store waits for ever. */
  kill(): Promise<void>;
}

type AnyFunction = (...all: unknown[]) => unknown;

/** What had reached the store before the kill is done or not, as with a real one. */
export function makeMortal(inner: Store): MortalStore {
  let isDead = false;
  let callCount = 0;
  const forever = new Promise<never>(() => undefined);
  const callWhileAlive =
    (callback: AnyFunction) =>
    (...told: unknown[]): void => {
      if (!isDead) callback(...told);
    };
  const countDown = (): void => void (callCount -= 1);
  const unlessDead = <Value>(value: Value): Value | Promise<never> => (isDead ? forever : value);
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        if (isDead) return name === "publish" || name === "watch" || name === "subscribe" ? () => undefined : forever;
        const untilDeath = given.map((one) => (typeof one === "function" ? callWhileAlive(one as AnyFunction) : one));
        const answer = (value as (...all: unknown[]) => unknown).apply(target, untilDeath);
        if (!(answer instanceof Promise)) return answer;
        callCount += 1;
        void answer.then(countDown, countDown);
        return answer.then(unlessDead, (error: unknown) => (isDead ? forever : Promise.reject(error as Error)));
      };
    },
  });
  return {
    store,
    get callCount() {
      return callCount;
    },
    async kill() {
      isDead = true;
      await inner.close();
    },
  };
}
