import type { DeliveryStatus } from "@handover/core";
import type { EntryAmendment } from "./store/records.ts";
import type { Store } from "./store/store.ts";

/** What became of a message of the user at the desk. The entry itself says it too, to whoever reads it later. */
export interface ReceiptSignal {
  /** Number of the message's entry. */
  readonly seq: number;
  readonly delivery: DeliveryStatus;
}

/** Tells those who watch now what was amended. Best effort. */
export interface ReceiptBoard {
  show(key: string, amendments: readonly EntryAmendment[]): void;
  watch(key: string, listener: (signal: ReceiptSignal) => void): () => void;
}

/** A board over the store's topics. */
export function createReceiptBoard(store: Store): ReceiptBoard {
  const topic = (key: string) => `receipt:${key}`;
  return {
    show(key, amendments) {
      for (const { seq, delivery } of amendments) if (delivery) store.publish(topic(key), { seq, delivery });
    },
    watch: (key, listener) => store.subscribe(topic(key), (data) => listener(data as unknown as ReceiptSignal)),
  };
}
