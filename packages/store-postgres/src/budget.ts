import type { BudgetGrant, BudgetRequest } from "@handover/runtime";
import { toLookupText } from "./column-text.ts";
import type { Database } from "./database.ts";

/** Buckets of calls that all instances share, on the database's clock. */
export interface Budgets {
  take(bucket: string, request: BudgetRequest): Promise<BudgetGrant>;
}

interface Row {
  readonly granted: readonly number[];
  readonly wait_ms: number;
}

export function createBudgets(database: Database, schema: string): Budgets {
  const statement = `SELECT granted, wait_ms FROM ${schema}.take_budget_v1($1, $2, $3, $4, $5)`;
  return {
    async take(bucket, { capacity, refillPerMs, wants }) {
      const [wanted, kept] = [wants.map(({ calls }) => calls), wants.map(({ keep }) => keep)];
      const [row] = await database.query<Row>(statement, [toLookupText(bucket), capacity, refillPerMs, wanted, kept]);
      return { granted: row?.granted ?? wanted.map(() => 0), waitMs: row?.wait_ms ?? 0 };
    },
  };
}
