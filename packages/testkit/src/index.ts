export { abilityNames } from "./abilities.ts";
export type { AbilityName } from "./abilities.ts";
export { describeHandoverProvider } from "./conformance/describe-handover-provider.ts";
export { conformanceGroups } from "./conformance/conformance-groups.ts";
export type { ConformanceGroup, ConformanceOptions, ConformanceTest } from "./conformance/suite.ts";
export type {
  Awaitable,
  ConformanceBackend,
  ConformanceConversation,
  ConformanceFile,
  ConformanceMessage,
  ConformanceSignals,
  ConformanceTokens,
  WebhookProof,
} from "./conformance/conformance-backend.ts";
export { describeHandoverStore, fillStore } from "./store-suite/index.ts";
export type { OpenedStore, StoreData, StoreSuiteOptions } from "./store-suite/index.ts";
export type { StoreFactory } from "./conformance/runtime-driver.ts";
export { createTestVendor, testVendorProvider } from "./test-vendor/index.ts";
export type {
  TestVendor,
  TestVendorBackend,
  TestVendorConnectionSettings,
  TestVendorFaults,
  TestVendorOptions,
  VendorConversation,
  VendorEvent,
  VendorMessage,
  VendorPeople,
} from "./test-vendor/index.ts";
