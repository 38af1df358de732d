import type { Call, CaughtUp, Handover, Json } from "@handover/core";
import type { TestVendorClient } from "./test-vendor-client.ts";
import type { TestVendorOptions, TestVendorSettings } from "./test-vendor-settings.ts";
import type { TestVendorState } from "./test-vendor-state.ts";
import { toDelivery } from "./test-vendor-webhook.ts";

type Conversation = Handover<TestVendorOptions, TestVendorState>;

/** Reads one page of the conversation's events. The cursor is the number of the last one. */
export async function catchUp(
  connection: { readonly client: TestVendorClient; readonly settings: TestVendorSettings },
  handover: Conversation,
  cursor: Json | undefined,
  call: Call,
): Promise<CaughtUp> {
  const after = typeof cursor === "number" ? cursor : 0;
  const page = await connection.client.listEvents(handover.state.conversation, after, call.signal);
  const deliveries = page.items.flatMap((event) => toDelivery(event, connection.settings));
  const last = deliveries.at(-1)?.order?.position ?? after;
  return { deliveries, cursor: last, hasMore: page.has_more && last > after };
}
