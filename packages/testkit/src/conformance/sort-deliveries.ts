import type { VendorDelivery } from "@handover/core";

/** Sorts the deliveries of each group among the places that the group has; the others stay where they are. */
export function sortByOrder(deliveries: readonly VendorDelivery[]): VendorDelivery[] {
  const sorted = [...deliveries];
  for (const group of new Set(deliveries.flatMap(({ order }) => (order ? [order.group] : [])))) {
    const places = deliveries.flatMap((delivery, index) => (delivery.order?.group === group ? [index] : []));
    const members = places.flatMap((index) => deliveries[index] ?? []).sort((left, right) => positionOf(left) - positionOf(right));
    places.forEach((place, index) => {
      const member = members[index];
      if (member) sorted[place] = member;
    });
  }
  return sorted;
}

function positionOf(delivery: VendorDelivery): number {
  return delivery.order?.position ?? 0;
}
