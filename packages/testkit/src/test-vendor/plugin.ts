import { testVendorProvider } from "./provider/test-vendor-provider.ts";

/** The test vendor as a plugin: a host loads this file by its path. */
export default testVendorProvider;
