import type { HandoverEvent } from "./event.ts";
import type { Reference } from "./handover.ts";
import type { Json } from "./json.ts";

/** Where a delivery stands among its like. */
export interface DeliveryOrder {
  /** What is counted together, for example `"messages"`. Groups do not wait for each other. */
  readonly group: string;
  /** Rises with the vendor's order. */
  readonly position: number;
  /** True when positions go up by exactly one, so that a hole means a loss. */
  readonly dense?: boolean;
}

/**
 * One thing that happened at the vendor, cut out of a webhook body or of a `catchUp` answer. The runtime stores it in the
 * inbox, removes repeats by `id`, sorts by `order`, and gives it to `translate`.
 */
export interface VendorDelivery {
  /**
   * Names the thing and the change (`"message:1001"`, `"message:1001:deleted"`), the same whichever way it is learned. Never
   * the transport's own id unless there is nothing else. A delivery without an id is never recognised as a repeat.
   */
  readonly id?: string;
  /** To whom it belongs: each address that the vendor gave, most specific first. */
  readonly references: readonly Reference[];
  readonly order?: DeliveryOrder;
  /** True for typing and the like: not stored, not repeated, dropped when late. */
  readonly isEphemeral?: boolean;
  /** What `translate` needs. Strip credentials; keep it small. */
  readonly payload: Json;
}

/** The provider's own timer went off: the time that an earlier `Translation.wakeAt` named has come. */
export interface Wake {
  readonly wake: true;
  /** The time that was asked for, in Unix milliseconds. */
  readonly atMs: number;
}

/** What a delivery means. Events and state are committed together, or not at all. */
export interface Translation<State = unknown> {
  /** In the order in which they happened; empty when nothing follows from the delivery. */
  readonly events: readonly HandoverEvent[];
  /** The new state; left out when it did not change. */
  readonly state?: State;
  /** Sets the provider's one timer (Unix milliseconds), or takes it away with `null`. Left out: as it was. */
  readonly wakeAt?: number | null;
  /** Addresses that the handover has only now: of a survey's own dialog, say. Deliveries that carry one find it from then on. */
  readonly references?: readonly Reference[];
  /** This delivery is only a nudge: call `catchUp` before the next one. */
  readonly pull?: true;
  /** Why nothing came of it, a short kebab-case word for counters: `"own-echo"`, `"private-note"`, `"unknown-event"`. */
  readonly ignored?: string;
}

/** True for the provider's own timer, false for a delivery of the vendor. */
export function isWake(delivery: VendorDelivery | Wake): delivery is Wake {
  return "wake" in delivery;
}
