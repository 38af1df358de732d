import { describe, expect, it } from "vitest";
import type { InboxRecord } from "../store/records.ts";
import { nextDelivery, type InboxOrder } from "./inbox-order.ts";

interface Row {
  readonly number: number;
  readonly group?: string;
  readonly position?: number;
  readonly dense?: boolean;
  readonly receivedAtMs?: number;
}

function row({ number, group = "g", position, dense, receivedAtMs = 1_000 }: Row): InboxRecord {
  return {
    number,
    handover: "h",
    connection: "desk",
    accountKey: "account",
    references: ["r"],
    payload: null,
    receivedAtMs,
    ...(position === undefined ? {} : { order: { group, position, ...(dense === undefined ? {} : { dense }) } }),
  };
}

const order = (change: Partial<InboxOrder> = {}): InboxOrder => ({ nowMs: 1_000, windowMs: 300, released: {}, ...change });
const isWindowOver = { nowMs: 1_300 };
const next = (rows: readonly Row[], change: Partial<InboxOrder> = {}) => {
  const found = nextDelivery(rows.map(row), order(change));
  return found.kind === "ready" ? { kind: found.kind, number: found.row.number, isLate: found.isLate, skipped: found.skipped } : found;
};
const ready = (number: number, change: { isLate?: boolean; skipped?: number } = {}) => ({
  kind: "ready",
  number,
  isLate: false,
  skipped: 0,
  ...change,
});

describe("nextDelivery", () => {
  it("should have nothing in an empty inbox", () => {
    expect(next([])).toEqual({ kind: "none" });
  });

  it("should release deliveries without an order at once, in the order of arrival", () => {
    expect(next([{ number: 1 }, { number: 2 }])).toEqual(ready(1));
  });

  it("should not let an ordered delivery that waits hold up one without an order", () => {
    expect(next([{ number: 1, position: 5 }, { number: 2 }])).toEqual(ready(2));
  });

  it.each([undefined, false, true])("should wait one window for what may stand before the first of a group (dense: %s)", (dense) => {
    const rows = [{ number: 1, position: 5, ...(dense === undefined ? {} : { dense }) }];
    expect(next(rows)).toEqual({ kind: "wait", untilMs: 1_300 });
    expect(next(rows, { nowMs: 1_299 })).toEqual({ kind: "wait", untilMs: 1_300 });
    expect(next(rows, isWindowOver)).toEqual(ready(1));
  });

  it("should release the lowest position when the window is over, whatever came first [F031 order]", () => {
    expect(
      next(
        [
          { number: 1, position: 9 },
          { number: 2, position: 7 },
          { number: 3, position: 8 },
        ],
        isWindowOver,
      ),
    ).toEqual(ready(2));
  });

  it("should count the window from the arrival of the oldest that waits, so that a stream of later ones cannot prolong it", () => {
    const rows = [
      { number: 1, position: 9, receivedAtMs: 1_000 },
      { number: 2, position: 7, receivedAtMs: 1_290 },
    ];
    expect(next(rows, isWindowOver)).toEqual(ready(2));
    expect(next([rows[0]!], isWindowOver)).toEqual(ready(1));
  });

  it("should release the next number of a dense group at once, but not of another", () => {
    expect(next([{ number: 1, position: 4, dense: true }], { released: { g: 3 } })).toEqual(ready(1));
    expect(next([{ number: 1, position: 4 }], { released: { g: 3 } })).toEqual({ kind: "wait", untilMs: 1_300 });
  });

  it("should see a hole in a dense group, wait one window, and then say how many are missing [F031 hole]", () => {
    const rows = [{ number: 1, position: 7, dense: true }];
    expect(next(rows, { released: { g: 3 } })).toEqual({ kind: "gap", group: "g", untilMs: 1_300 });
    expect(next(rows, { released: { g: 3 }, ...isWindowOver })).toEqual(ready(1, { skipped: 3 }));
  });

  it("should close a hole as soon as what was missing comes", () => {
    const rows = [
      { number: 1, position: 5, dense: true },
      { number: 2, position: 4, dense: true },
    ];
    expect(next(rows, { released: { g: 3 } })).toEqual(ready(2));
  });

  it("should release what was overtaken at once and mark it", () => {
    for (const position of [2, 3])
      for (const dense of [true, false])
        expect(next([{ number: 1, position, dense }], { released: { g: 3 } })).toEqual(ready(1, { isLate: true }));
  });

  it("should keep groups apart", () => {
    const rows = [
      { number: 1, group: "a", position: 9, dense: true },
      { number: 2, group: "b", position: 2, dense: true },
    ];
    expect(next(rows, { released: { a: 3, b: 1 } })).toEqual(ready(2));
    expect(next(rows, { released: { a: 3, b: 0 } })).toMatchObject({ kind: "gap" });
  });

  it("should look again at the earliest end of a window", () => {
    const rows = [
      { number: 1, group: "a", position: 1, receivedAtMs: 900 },
      { number: 2, group: "b", position: 1, receivedAtMs: 1_000 },
    ];
    expect(next(rows)).toEqual({ kind: "wait", untilMs: 1_200 });
  });

  it("should release two deliveries of one position in the order of arrival", () => {
    expect(
      next(
        [
          { number: 2, position: 4 },
          { number: 1, position: 4 },
        ],
        isWindowOver,
      ),
    ).toEqual(ready(1));
  });
});
