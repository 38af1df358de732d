import { WebhookRefusedError, type Json, type RawRequest, type ReceivedWebhook, type VendorDelivery } from "@handover/core";
import { verifyHmac } from "@handover/provider-utils";
import type { TestVendorSettings } from "./test-vendor-settings.ts";
import { wireEventSchema, wireWebhookSchema, type WireEvent } from "./test-vendor-wire.ts";

/** Checks URL secret and signature over the raw bytes, then cuts the body into deliveries. */
export function receiveWebhook(settings: TestVendorSettings, request: RawRequest): ReceivedWebhook {
  if (!request.hasValidSecret) throw refused(401, "WEBHOOK_SECRET_WRONG", "The webhook URL has a wrong secret. Copy it again.");
  const signature = (request.headers["x-test-vendor-signature"] ?? "").replace("sha256=", "");
  const hmac = { algorithm: "sha256", encoding: "hex", secret: settings.webhookSecret, data: [request.body] } as const;
  if (!verifyHmac(hmac, signature)) {
    throw refused(401, "WEBHOOK_SIGNATURE_WRONG", "The HMAC-SHA256 of the webhook does not match. Compare the signing secret.");
  }
  const body = wireWebhookSchema.safeParse(parseJson(request.body));
  if (!body.success) throw refused(400, "WEBHOOK_MALFORMED", "The webhook has no list of events.");
  return { deliveries: body.data.events.flatMap((event) => toDelivery(event, settings)) };
}

/** An event of a webhook or of the listing as a delivery; none for one that is no event at all. */
export function toDelivery(value: unknown, settings: TestVendorSettings): VendorDelivery[] {
  const parsed = wireEventSchema.safeParse(value);
  if (!parsed.success) return [];
  const event = parsed.data;
  const { id, external_id: externalId } = event.conversation;
  const idOfDelivery = deliveryId(event);
  return [
    {
      ...(idOfDelivery === undefined ? {} : { id: idOfDelivery }),
      references: [`conversation:${id}`, ...(externalId ? [`external:${externalId}`] : [])],
      ...(event.number === undefined
        ? {}
        : { order: { group: "events", position: event.number, dense: settings.eventNumbers === "dense" } }),
      ...(event.type === "typing" ? { isEphemeral: true } : {}),
      payload: event,
    },
  ];
}

/** Names the thing and what became of it. Nudges and typing have no id: each of them counts. */
function deliveryId(event: WireEvent): string | undefined {
  if (event.number === undefined) return undefined;
  const message = event.data["message"] as { readonly id?: Json } | undefined;
  if (event.type === "message.created" && typeof message?.id === "string") return `message:${message.id}`;
  return `conversation:${event.conversation.id}:event:${event.number}`;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (cause) {
    throw refused(400, "WEBHOOK_MALFORMED", "The webhook is not JSON.", cause);
  }
}

function refused(status: 400 | 401, code: string, message: string, cause?: unknown): WebhookRefusedError {
  return new WebhookRefusedError({ status, code, message, cause });
}
