import type { VendorDelivery } from "./delivery.ts";

/** A request of the vendor, untouched. */
export interface RawRequest {
  readonly method: string;
  /** The path without the secret part, percent-encoded as it came. */
  readonly path: string;
  /** What follows the `?`, as it came; empty without one. Some vendors sign it. */
  readonly query: string;
  /** Names in lower case; several values of one name joined by `", "`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came: signatures are computed over these and nothing else. */
  readonly body: Uint8Array;
  /** The runtime compared the secret in the URL, in constant time. The provider decides whether that is enough. */
  readonly hasValidSecret: boolean;
}

/** What the vendor is answered. Without one the runtime answers 200 with an empty body. */
export interface WebhookResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A webhook that was authenticated and cut up. */
export interface ReceivedWebhook {
  readonly response?: WebhookResponse;
  readonly deliveries: readonly VendorDelivery[];
}
