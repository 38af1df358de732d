export { describeHandoverStore } from "./describe-handover-store.ts";
export type { OpenedStore, StoreSuiteOptions } from "./use-store.ts";
