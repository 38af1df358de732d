import { HandoverError } from "@handover/core";
import type { Connection } from "./connection-registry.ts";

const lateCode = "CALL_TOO_LATE";

/** A call whose time was over before it began. Surely nothing was done, and it says nothing about the vendor. */
export function callLate(connection: Connection, method: string): HandoverError {
  return new HandoverError({
    code: lateCode,
    message: `"${method}" of ${connection.provider.title} was not called: its time was over before it began. Look at the load of this machine and of the store.`,
    isRetryable: true,
    outcome: "not-applied",
  });
}

/** True for what `callLate` makes. */
export function isCallLate(error: unknown): boolean {
  return HandoverError.isInstance(error) && error.code === lateCode;
}

/** A call that had no answer at its deadline. */
export function timeoutError(connection: Connection, method: string, timeoutMs: number): HandoverError {
  return new HandoverError({
    code: "VENDOR_TIMEOUT",
    message: `${connection.provider.title} did not answer "${method}" within ${timeoutMs} ms.`,
    isRetryable: true,
    outcome: "unknown",
    effect: "connection",
  });
}

const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")?.get as (this: AbortSignal) => boolean;

/**
 * The signal of an abort that knows by itself when its time is over. A process that was stopped for a while goes on with what it
 * has received before its timers go off: the request that a provider would make then finds the signal aborted.
 */
export function endsInTime(abort: AbortController, isOver: () => boolean, why: () => Error): AbortSignal {
  return Object.defineProperties(abort.signal, {
    aborted: {
      get(this: AbortSignal) {
        if (!isAborted.call(this) && isOver()) abort.abort(why());
        return isAborted.call(this);
      },
    },
    // The platform's own one does not ask for `aborted`.
    throwIfAborted: {
      value(this: AbortSignal) {
        if (this.aborted) throw this.reason;
      },
    },
  });
}
