export { createTestVendor } from "./test-vendor.ts";
export type { TestVendor, TestVendorConnectionSettings, TestVendorOptions } from "./test-vendor.ts";
export type { TestVendorBackend } from "./backend/vendor-backend.ts";
export type { TestVendorFaults } from "./backend/vendor-faults.ts";
export type { VendorPeople } from "./backend/vendor-agents.ts";
export type { VendorConversation, VendorEvent, VendorMessage } from "./backend/vendor-records.ts";
export { testVendorProvider } from "./provider/test-vendor-provider.ts";
