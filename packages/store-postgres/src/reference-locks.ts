import { createHash } from "node:crypto";
import type { Reference } from "@handover/core";

/** An advisory lock of one transaction. */
export interface ReferenceLock {
  readonly class: number;
  readonly stripe: number;
  readonly exclusive: boolean;
}

/** References of one account. */
export interface References {
  readonly accountKey: string;
  readonly references: readonly Reference[];
}

/** Many references share a lock, so that a request with many of them does not fill the server's table of locks. */
const stripes = 1024;

/**
 * Who adds references keeps those out who look them up, and the other way round: a delivery that is being parked while its
 * reference is added would otherwise not be seen by either side. The order is the same for everybody, so nobody waits in a circle.
 */
export function referenceLocks(
  schema: string,
  { added, lookedUp }: { readonly added: readonly References[]; readonly lookedUp: readonly References[] },
): readonly ReferenceLock[] {
  const exclusive = stripesOf(added);
  const all = new Set([...exclusive, ...stripesOf(lookedUp)]);
  const lockClass = createHash("sha256").update(`handover ${schema}`).digest().readInt32BE();
  return [...all].sort((one, other) => one - other).map((stripe) => ({ class: lockClass, stripe, exclusive: exclusive.has(stripe) }));
}

function stripesOf(all: readonly References[]): Set<number> {
  return new Set(all.flatMap(({ accountKey, references }) => references.map((reference) => stripeOf(accountKey, reference))));
}

function stripeOf(accountKey: string, reference: Reference): number {
  return (
    createHash("sha256")
      .update(JSON.stringify([accountKey, reference]))
      .digest()
      .readUInt16BE() % stripes
  );
}
