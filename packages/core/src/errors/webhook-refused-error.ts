import { HandoverError, hasMarker } from "./handover-error.ts";

const marker = Symbol.for("handover.error.webhook-refused");

/**
 * A webhook request that is not accepted. The vendor is answered `status`; refusals are counted by `code`.
 * 400 malformed, 401 not authentic, 413 too large, 503 cannot be checked now (the vendor may try again).
 */
export class WebhookRefusedError extends HandoverError {
  readonly status: 400 | 401 | 413 | 503;
  readonly [marker] = true;

  constructor(options: {
    readonly status: 400 | 401 | 413 | 503;
    readonly code: string;
    readonly message: string;
    readonly cause?: unknown;
  }) {
    super({ ...options, isRetryable: options.status === 503 });
    this.status = options.status;
  }

  static override isInstance(value: unknown): value is WebhookRefusedError {
    return hasMarker(value, marker);
  }
}
