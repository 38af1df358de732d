import type { HandoverConnection, HandoverProvider } from "@handover/core";
import { testVendorProvider } from "@handover/testkit/test-vendor";

/** The test vendor as a vendor that does not say what it got: no echo of our own messages. */
const silentTestVendor: HandoverProvider = {
  ...(testVendorProvider as unknown as HandoverProvider),
  connect: (settings, context) => withoutEchoes((testVendorProvider as unknown as HandoverProvider).connect(settings, context)),
};

function withoutEchoes(connection: HandoverConnection): HandoverConnection {
  const { translate } = connection;
  if (!translate) return connection;
  return {
    ...connection,
    translate(handover, delivery) {
      const translation = translate(handover, delivery);
      return { ...translation, events: translation.events.filter(({ type }) => type !== "message-echoed") };
    },
  };
}

export default silentTestVendor;
