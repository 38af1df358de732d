import { describe, expect, it } from "vitest";
import { readRetryAfter, stableId, withoutEmpty } from "./index.ts";

describe("withoutEmpty", () => {
  it("should drop what says nothing and keep 0 and false [F048]", () => {
    const date = new Date(0);
    expect(
      withoutEmpty({
        a: undefined,
        b: null,
        c: "",
        d: " \n",
        e: [],
        f: {},
        g: Number.NaN,
        h: 0,
        i: false,
        j: "x",
        k: [0],
        l: { m: null },
        date,
      }),
    ).toEqual({ h: 0, i: false, j: "x", k: [0], l: { m: null }, date });
  });
});

describe("stableId", () => {
  it("should be the same for the same parts and differ where they are cut differently [F085]", () => {
    const id = stableId("ho_", ["ab", "c", 1], 44);
    expect(id).toBe(stableId("ho_", ["ab", "c", 1], 44));
    expect(id).toMatch(/^ho_[A-Za-z0-9_-]{41}$/);
    expect(stableId("ho_", ["a", "bc", 1], 44)).not.toBe(id);
    expect(stableId("ho_", ["ab", "c", "1"], 44)).not.toBe(id);
    expect(stableId("", ["x"], 100)).toHaveLength(43);
  });

  it("should take any Unicode and refuse a length that invites collisions [F085]", () => {
    expect(stableId("", ["a/%+ 👋".repeat(64)], 44)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(() => stableId("prefix", ["x"], 20)).toThrow(RangeError);
  });
});

describe("readRetryAfter", () => {
  it("should read nothing where there is nothing", () => {
    expect(readRetryAfter(undefined, { now: () => 0 })).toBeUndefined();
    expect(readRetryAfter(" ", { now: () => 0 })).toBeUndefined();
    expect(readRetryAfter("1.5", { now: () => 0 })).toBe(1500);
  });
});
