import { WebhookRefusedError, type Json, type RawRequest, type VendorDelivery } from "@handover/core";
import type { Driver } from "./driver.ts";
import { mutationsOf } from "./mutations.ts";
import type { Suite } from "./suite.ts";
import { signed } from "./webhook-group.ts";

/** True when the suite can make webhooks that the provider takes for the vendor's own. */
export function canForge({ backend, has }: Suite): boolean {
  const isSigned = backend.webhookProof === "signature" || backend.webhookProof === "both";
  return has("receiveWebhook") && (!isSigned || backend.signWebhook !== undefined);
}

/** What comes of recorded webhooks with one thing changed at a time. One that is refused as malformed gives nothing. */
export async function* forgedDeliveries(
  driver: Driver,
  requests: readonly RawRequest[],
  maximumEach: number,
): AsyncGenerator<VendorDelivery> {
  for (const { body } of requests) {
    const value = JSON.parse(Buffer.from(body).toString("utf8")) as Json;
    for (const forged of mutationsOf(value, "anything", maximumEach)) yield* await receive(driver, Buffer.from(JSON.stringify(forged)));
  }
}

async function receive(driver: Driver, body: Uint8Array): Promise<readonly VendorDelivery[]> {
  try {
    const received = await driver.connection.receiveWebhook?.(signed(driver, body), driver.call());
    return received?.deliveries ?? [];
  } catch (error) {
    if (WebhookRefusedError.isInstance(error) && error.status === 400) return [];
    throw error;
  }
}
