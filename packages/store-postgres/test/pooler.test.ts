import { describeHandoverStore } from "@handover/testkit";
import { afterAll, beforeAll, describe } from "vitest";
import { startTransactionPooler, withoutPooler, type TransactionPooler } from "./support/pooler.ts";
import { openForSuite } from "./support/suite-store.ts";
import { sharedConnectionString, withoutPostgres } from "./support/use-postgres.ts";

const isLeftOut = withoutPooler() !== undefined || (await withoutPostgres()) !== undefined;

describe.skipIf(isLeftOut)("behind a transaction pooler, listening on a connection of its own", () => {
  let pooler: TransactionPooler;
  beforeAll(async () => {
    pooler = await startTransactionPooler(await sharedConnectionString());
  });
  afterAll(() => pooler.close());

  describeHandoverStore({ name: "PostgreSQL behind PgBouncer", open: () => openForSuite(pooler.connectionString) });
});
