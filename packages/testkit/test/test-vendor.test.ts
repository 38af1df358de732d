import { createTestVendor, describeHandoverProvider } from "@handover/testkit";
import { afterAll } from "vitest";
// By path: the package of the store has this one among its development dependencies.
import { createSqliteStore } from "../../store-sqlite/src/index.ts";

const vendor = await createTestVendor();
afterAll(() => vendor.close());

describeHandoverProvider({ name: "test vendor", createStore: createSqliteStore, ...vendor });
