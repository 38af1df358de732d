import type { HandoverConnection, HandoverProvider } from "@handover/core";
import { testVendorProvider } from "@handover/testkit";

/** The test vendor's provider with something in its connections done differently. */
export function changedProvider(
  change: (connection: HandoverConnection) => Partial<HandoverConnection>,
  provider: HandoverProvider = testVendorProvider,
): HandoverProvider {
  return {
    ...provider,
    connect(settings, context) {
      const connection = provider.connect(settings, context);
      return { ...connection, ...change(connection) };
    },
  };
}
