import type { DeliveryStatus } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import type { EntryAmendment } from "./records.ts";

/** From the weakest to the strongest: a message that was read was delivered, whatever was said about it before. */
const deliveryOrder: readonly DeliveryStatus[] = ["delivered", "failed", "read"];

/** 0 for nothing known; a higher rank is never taken back. */
export function deliveryRank(delivery: DeliveryStatus | undefined): number {
  return delivery === undefined ? 0 : deliveryOrder.indexOf(delivery) + 1;
}

/** The delivery state with this rank. */
export function deliveryOfRank(rank: number): DeliveryStatus | undefined {
  return deliveryOrder[rank - 1];
}

/** Which of two delivery states holds, whichever came first. */
export function laterDelivery(one: DeliveryStatus | undefined, other: DeliveryStatus | undefined): DeliveryStatus | undefined {
  return deliveryRank(one) > deliveryRank(other) ? one : other;
}

/** The entry with an amendment. Gives back the very same entry when there is nothing to change. */
export function amendEntry<Entry extends Pick<StoredEntry, "delivery" | "isPossiblyDuplicated">>(
  entry: Entry,
  amendment: Omit<EntryAmendment, "seq">,
): Entry {
  const delivery = laterDelivery(entry.delivery, amendment.delivery);
  const isPossiblyDuplicated = entry.isPossiblyDuplicated ?? amendment.isPossiblyDuplicated;
  if (delivery === entry.delivery && isPossiblyDuplicated === entry.isPossiblyDuplicated) return entry;
  return { ...entry, ...(delivery ? { delivery } : {}), ...(isPossiblyDuplicated ? { isPossiblyDuplicated } : {}) };
}
