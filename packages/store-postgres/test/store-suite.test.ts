import { describeHandoverStore } from "@handover/testkit";
import { describe } from "vitest";
import { prepareEarlierSchema } from "./support/earlier-schemas.ts";
import { openForSuite } from "./support/suite-store.ts";
import { withoutPostgres } from "./support/use-postgres.ts";

describe.skipIf(await withoutPostgres())("with PostgreSQL", () => {
  describeHandoverStore({
    name: "PostgreSQL",
    earlier: [{ name: "schema 1", prepare: () => prepareEarlierSchema(1) }],
    open: () => openForSuite(),
  });
});
