import type { InboxRecord } from "../store/records.ts";

/** Which delivery is next, or when to look again. */
export type NextDelivery =
  | { readonly kind: "ready"; readonly row: InboxRecord; readonly isLate: boolean; readonly skipped: number }
  | { readonly kind: "gap"; readonly group: string; readonly untilMs: number }
  | { readonly kind: "wait"; readonly untilMs: number }
  | { readonly kind: "none" };

/** What has come out of the inbox so far, and how long things wait for each other. */
export interface InboxOrder {
  readonly nowMs: number;
  readonly windowMs: number;
  /** The highest position that was released, by group. */
  readonly released: Readonly<Record<string, number>>;
}

/**
 * The next delivery of one handover. Deliveries without an order are ready at once. Those of a group wait one window for
 * earlier positions; within a dense group the next number is ready at once, and a hole is waited for one window (`gap`: ask
 * the vendor), after which it is skipped.
 */
export function nextDelivery(rows: readonly InboxRecord[], order: InboxOrder): NextDelivery {
  const unordered = rows.find((row) => row.order === undefined);
  const groups = Map.groupBy(
    rows.filter((row) => row.order !== undefined),
    (row) => row.order?.group ?? "",
  );
  const candidates = [...groups.values()].map((group) => nextOfGroup(group, order));
  const ready = candidates.filter((candidate) => candidate.kind === "ready");
  if (unordered) ready.push({ kind: "ready", row: unordered, isLate: false, skipped: 0 });
  const first = ready.sort((left, right) => left.row.number - right.row.number)[0];
  if (first) return first;
  const waiting = candidates.filter((candidate) => candidate.kind === "wait" || candidate.kind === "gap");
  return waiting.sort((left, right) => left.untilMs - right.untilMs)[0] ?? { kind: "none" };
}

function nextOfGroup(group: readonly InboxRecord[], order: InboxOrder): NextDelivery {
  const sorted = group.toSorted((left, right) => positionOf(left) - positionOf(right) || left.number - right.number);
  const head = sorted[0];
  if (!head?.order) return { kind: "none" };
  const released = order.released[head.order.group];
  const position = head.order.position;
  if (released !== undefined && position <= released) return { kind: "ready", row: head, isLate: true, skipped: 0 };
  const isNext = head.order.dense === true && released !== undefined && position === released + 1;
  if (isNext) return { kind: "ready", row: head, isLate: false, skipped: 0 };
  const untilMs = Math.min(...group.map((row) => row.receivedAtMs)) + order.windowMs;
  const isHole = head.order.dense === true && released !== undefined;
  if (order.nowMs >= untilMs) return { kind: "ready", row: head, isLate: false, skipped: isHole ? position - released - 1 : 0 };
  return isHole ? { kind: "gap", group: head.order.group, untilMs } : { kind: "wait", untilMs };
}

function positionOf(row: InboxRecord): number {
  return row.order?.position ?? 0;
}
