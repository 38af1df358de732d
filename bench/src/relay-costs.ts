import type { Store } from "@handover/runtime";
import { countWrites } from "../../test/runtime/support/counted-writes.ts";
import { directions, openRelay, relayOne } from "./relay.ts";
import type { Direction } from "./relay.ts";
import { countStatements } from "./statements.ts";
import type { StatementCounts } from "./statements.ts";

/** What one relayed message costs, on average. */
export interface RelayCosts {
  readonly direction: Direction;
  /** Transactions that take the message in, on whichever instance. */
  readonly intake: number;
  /** Transactions of the instance that works on the conversation. */
  readonly owner: number;
  /** What they were. */
  readonly writes: Readonly<Record<string, number>>;
  readonly statements: StatementCounts;
}

const messages = 50;

/** Counts what relayed messages cost, one after the other in one conversation. */
export async function countRelayCosts(store: Store): Promise<readonly RelayCosts[]> {
  const counted = countWrites();
  const relay = await openRelay(counted.wrap(store), 1);
  const statements = countStatements();
  try {
    const costs: RelayCosts[] = [];
    for (const direction of directions) {
      await rest();
      counted.take();
      statements.take();
      for (let index = 0; index < messages; index += 1) await relayOne(relay, direction, 0, `${direction} ${index}`);
      await rest();
      costs.push(toCosts(direction, counted.take(), statements.take()));
    }
    return costs;
  } finally {
    statements.stop();
    await relay.close();
  }
}

/** What follows on the last message is written, too. */
async function rest(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}

function toCosts(direction: Direction, writes: readonly string[], statements: StatementCounts): RelayCosts {
  const isIntake = (write: string): boolean => write === "receive" || write === "commit: user";
  const each = (count: number): number => Math.round((count / messages) * 100) / 100;
  const names = Map.groupBy(writes, (write) => write);
  return {
    direction,
    intake: each(writes.filter(isIntake).length),
    owner: each(writes.filter((write) => !isIntake(write)).length),
    writes: Object.fromEntries([...names].map(([name, all]) => [name, each(all.length)])),
    statements: {
      writing: each(statements.writing),
      reading: each(statements.reading),
      transactions: each(statements.transactions),
      hints: each(statements.hints),
    },
  };
}
