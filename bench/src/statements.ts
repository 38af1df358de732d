import { createRequire } from "node:module";
import { StatementSync } from "node:sqlite";

/** What was sent to a database: statements that change something, that read, that begin and end transactions, and hints. */
export interface StatementCounts {
  readonly writing: number;
  readonly reading: number;
  readonly transactions: number;
  readonly hints: number;
}

type Kind = keyof StatementCounts;

/** Counts the statements of `node:sqlite` and of the PostgreSQL store's `pg` in this process, from now on. */
export function countStatements(): { take(): StatementCounts; stop(): void } {
  let counts = noCounts();
  const count = (text: string): void => void (counts[kindOf(text)] += 1);
  const undo = [...spyOnSqlite(count), spyOnPostgres(count)];
  return {
    take() {
      const taken = counts;
      counts = noCounts();
      return taken;
    },
    stop() {
      for (const restore of undo) restore();
    },
  };
}

function noCounts(): Record<Kind, number> {
  return { writing: 0, reading: 0, transactions: 0, hints: 0 };
}

function kindOf(text: string): Kind {
  if (/^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/i.test(text)) return "transactions";
  if (/pg_notify/.test(text)) return "hints";
  // A function of the schema that changes something is called by SELECT, as one that reads is.
  if (/\b(commit|receive|note|claim|renew|release)_v\d+\(/.test(text)) return "writing";
  return /^\s*(SELECT|WITH)\b/i.test(text) ? "reading" : "writing";
}

type Method = (this: { readonly sourceSQL: string }, ...given: unknown[]) => unknown;

function spyOnSqlite(count: (text: string) => void): (() => void)[] {
  const prototype = StatementSync.prototype as unknown as Record<string, Method>;
  return ["run", "get", "all", "iterate"].flatMap((name) => {
    const original = prototype[name];
    if (!original) return [];
    prototype[name] = function spied(...given) {
      count(this.sourceSQL);
      return original.apply(this, given);
    };
    return [() => void (prototype[name] = original)];
  });
}

interface Queryable {
  query(this: unknown, ...given: unknown[]): unknown;
}

function spyOnPostgres(count: (text: string) => void): () => void {
  const requireFromStore = createRequire(import.meta.resolve("@handover/store-postgres"));
  const { prototype } = (requireFromStore("pg") as { Client: { prototype: Queryable } }).Client;
  const original = prototype.query;
  prototype.query = function spied(...given) {
    const [statement] = given;
    if (typeof statement === "string") count(statement);
    return original.apply(this, given);
  };
  return () => void (prototype.query = original);
}
