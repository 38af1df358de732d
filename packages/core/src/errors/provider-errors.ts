import { HandoverError, hasMarker, type HandoverErrorOptions } from "./handover-error.ts";

type Options = Omit<HandoverErrorOptions, "code"> & { readonly code?: string };

const apiMarker = Symbol.for("handover.error.provider-api");

/** What the vendor answered, without its body. */
export interface ProviderApiErrorOptions extends Options {
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  /** The vendor's own error code. */
  readonly vendorCode?: string;
  /** The vendor's reference id of the failed call, for its support. */
  readonly vendorReferenceId?: string;
}

/** A call of the vendor's API failed. Default code `VENDOR_CALL_FAILED`. */
export class ProviderApiError extends HandoverError {
  readonly status?: number;
  readonly vendorCode?: string;
  readonly vendorReferenceId?: string;
  readonly [apiMarker] = true;

  constructor(options: ProviderApiErrorOptions) {
    super({ code: "VENDOR_CALL_FAILED", ...options });
    if (options.status !== undefined) this.status = options.status;
    if (options.vendorCode !== undefined) this.vendorCode = options.vendorCode;
    if (options.vendorReferenceId !== undefined) this.vendorReferenceId = options.vendorReferenceId;
  }

  static override isInstance(value: unknown): value is ProviderApiError {
    return hasMarker(value, apiMarker);
  }
}

const authenticationMarker = Symbol.for("handover.error.authentication");

/** The vendor does not accept our credentials, or they do not allow the call. Stops the connection. Default code `AUTHENTICATION_FAILED`. */
export class AuthenticationError extends ProviderApiError {
  readonly [authenticationMarker] = true;

  constructor(options: ProviderApiErrorOptions) {
    super({ code: "AUTHENTICATION_FAILED", effect: "connection", isRetryable: true, ...options });
  }

  static override isInstance(value: unknown): value is AuthenticationError {
    return hasMarker(value, authenticationMarker);
  }
}

const rateMarker = Symbol.for("handover.error.rate-limited");

/** The vendor asks us to slow down; nothing was done. Default code `RATE_LIMITED`. */
export class RateLimitedError extends ProviderApiError {
  readonly [rateMarker] = true;

  constructor(options: ProviderApiErrorOptions) {
    super({ code: "RATE_LIMITED", effect: "connection", isRetryable: true, outcome: "not-applied", ...options });
  }

  static override isInstance(value: unknown): value is RateLimitedError {
    return hasMarker(value, rateMarker);
  }
}

const unavailableMarker = Symbol.for("handover.error.unavailable");

/** Nobody can take the handover now, or the desk refuses it. The handover ends as `unavailable`. Default code `UNAVAILABLE`. */
export class UnavailableError extends HandoverError {
  readonly [unavailableMarker] = true;

  constructor(options: Options) {
    super({ code: "UNAVAILABLE", effect: "handover", ...options });
  }

  static override isInstance(value: unknown): value is UnavailableError {
    return hasMarker(value, unavailableMarker);
  }
}

const goneMarker = Symbol.for("handover.error.conversation-gone");

/** The vendor's conversation is over or was deleted. The handover ends. Default code `CONVERSATION_GONE`. */
export class ConversationGoneError extends ProviderApiError {
  readonly [goneMarker] = true;

  constructor(options: ProviderApiErrorOptions) {
    super({ code: "CONVERSATION_GONE", effect: "handover", ...options });
  }

  static override isInstance(value: unknown): value is ConversationGoneError {
    return hasMarker(value, goneMarker);
  }
}

const unsupportedMarker = Symbol.for("handover.error.unsupported");

/** Something that this connection or version cannot do was asked for. Default code `UNSUPPORTED`. */
export class UnsupportedError extends HandoverError {
  readonly [unsupportedMarker] = true;

  constructor(options: Options) {
    super({ code: "UNSUPPORTED", ...options });
  }

  static override isInstance(value: unknown): value is UnsupportedError {
    return hasMarker(value, unsupportedMarker);
  }
}

const stateMarker = Symbol.for("handover.error.state-incompatible");

/** A stored state that this provider cannot read: another provider's, or a newer version's. Code `STATE_INCOMPATIBLE`. */
export class StateIncompatibleError extends HandoverError {
  readonly [stateMarker] = true;

  constructor(options: Omit<Options, "code">) {
    super({ effect: "handover", ...options, code: "STATE_INCOMPATIBLE" });
  }

  static override isInstance(value: unknown): value is StateIncompatibleError {
    return hasMarker(value, stateMarker);
  }
}
