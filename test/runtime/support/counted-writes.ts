import type { Commit, Store } from "@handover/runtime";

/** Durable writes of one instance, in the order in which they were asked for. */
export interface CountedWrites {
  readonly wrap: (store: Store) => Store;
  /** Each is one transaction: the method, for a commit with what is in it. */
  readonly writes: readonly string[];
  /** Resolves as soon as so many writes fit; rejects after 10 s of real time. */
  until(fits: RegExp, count?: number): Promise<void>;
  /** Forgets what was written so far. @returns it */
  take(): readonly string[];
}

const patienceMs = 10_000;
const writingMethods = new Set<string | symbol>([
  "commit",
  "receive",
  "note",
  "claim",
  "renew",
  "release",
  "writeMemory",
  "claimMemory",
  "expireParked",
]);

/** Counts the writes that go through a store. */
export function countWrites(): CountedWrites {
  const writes: string[] = [];
  const waiting = new Set<() => void>();

  function until(fits: RegExp, count = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`Waited in vain for ${count} of ${String(fits)} in: ${writes.join("; ")}`));
      }, patienceMs);
      const look = (): void => {
        if (writes.filter((write) => fits.test(write)).length < count) return;
        waiting.delete(look);
        clearTimeout(patience);
        resolve();
      };
      waiting.add(look);
      look();
    });
  }

  return {
    writes,
    until,
    take: () => writes.splice(0),
    wrap: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== "function" || !writingMethods.has(name)) return value;
          return (...given: unknown[]): unknown => {
            writes.push(name === "commit" ? nameCommit(given[0] as Commit) : String(name));
            for (const look of [...waiting]) look();
            return (value as (...all: unknown[]) => unknown).apply(target, given);
          };
        },
      }),
  };
}

/** What a commit is for: who appended what, and what became of parts, deliveries and cursors. */
function nameCommit({ append = [], parts = [], consume = [], update = {} }: Commit): string {
  const said = append.map(({ kind, author, status, event }) => author?.role ?? status ?? event ?? kind);
  const sent = parts.map(({ status }) => `part ${status}`);
  const consumed = consume.length > 0 ? ["delivery"] : [];
  return ["commit:", ...said, ...sent, ...consumed, ...Object.keys(update)].join(" ");
}
