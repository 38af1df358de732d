import { describe, expect, it } from "vitest";
import { measureText, splitText, type TextUnit } from "./index.ts";

describe("splitText", () => {
  it("should leave a text that fits alone and give nothing for white space", () => {
    expect(splitText("  two\n\nlines ", 20, "characters")).toEqual(["  two\n\nlines "]);
    expect(splitText(" \n ", 20, "characters")).toEqual([]);
  });

  it.each([
    ["a paragraph", "One two three.\n\nFour. Five\nsix seven", 25, ["One two three.", "Four. Five\nsix seven"]],
    ["a line", "One two. three\nfour five six", 20, ["One two. three", "four five six"]],
    ["a line also where the limit ends a word [F098: line ends]", "one two three\nfour five six", 18, ["one two three", "four five six"]],
    ["a sentence", "One two three! Four five six", 20, ["One two three!", "Four five six"]],
    ["a word", "one two three four", 10, ["one two", "three four"]],
    ["nothing", "abcdefghij", 4, ["abcd", "efgh", "ij"]],
    ["the limit", "abcd efgh", 4, ["abcd", "efgh"]],
  ])("should cut at %s", (_name, text, limit, parts) => {
    expect(splitText(text, limit, "characters")).toEqual(parts);
  });

  it.each(["characters", "utf16", "bytes"] as const)("should not cut an emoji on the boundary, in %s [F100]", (unit) => {
    const family = "👨‍👩‍👧";
    const limit = 40;
    const text = "x".repeat(limit - 1) + family + "é".normalize("NFD");
    const parts = splitText(text, limit, unit);
    expect(parts.join("")).toBe(text);
    expect(parts).toHaveLength(2);
    expect(parts[1]).toBe(family + "é".normalize("NFD"));
  });

  it.each(["characters", "utf16", "bytes"] as const)("should cut a single character over the limit between code points, in %s", (unit) => {
    const parts = splitText("👨‍👩‍👧", 4, unit);
    expect(parts.join("")).toBe("👨‍👩‍👧");
    expect(parts.every((part) => part.isWellFormed() && measureText(part, unit) <= 4)).toBe(true);
  });

  it("should keep every part within the limit and lose nothing but white space, whatever the text", () => {
    const alphabet = ["a", "é", "👋🏽", "\n", "\n\n", " ", ". ", "文", "\u2028", "\u0301", "👨‍👩‍👧", "\t"];
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 400; round += 1) {
      const text = Array.from({ length: next(120) }, () => alphabet[next(alphabet.length)]).join("");
      const unit = (["characters", "utf16", "bytes"] as TextUnit[])[round % 3] ?? "bytes";
      const limit = 4 + next(60);
      const parts = splitText(text, limit, unit);
      expect(parts.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
      for (const part of parts) {
        expect(measureText(part, unit)).toBeLessThanOrEqual(limit);
        expect(part.trim()).not.toBe("");
      }
    }
  });

  it("should be quick with long texts that have no borders", () => {
    const startedAt = performance.now();
    for (const text of ["a", '"', "\n", " ", ". ", "é"]) splitText(text.repeat(400_000) + "x", 150_000, "characters");
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it("should refuse a limit that no text fits", () => {
    expect(() => splitText("a", 3, "bytes")).toThrow(RangeError);
    expect(() => splitText("a", Number.NaN, "bytes")).toThrow(RangeError);
  });
});
