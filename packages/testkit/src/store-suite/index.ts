export { describeHandoverStore } from "./describe-handover-store.ts";
export { fillStore } from "./fill-store.ts";
export type { OpenedStore, StoreData, StoreSuiteOptions } from "./use-store.ts";
