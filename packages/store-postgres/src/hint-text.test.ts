import { describe, expect, it } from "vitest";
import { changedTexts, hintText, parseHint } from "./hint-text.ts";

describe("texts of hints", () => {
  it("should name every key in as few texts as it takes, each short enough for NOTIFY", () => {
    const keys = Array.from({ length: 500 }, (_, index) => `demo/${"%F0%9F%98%80".repeat(index % 20)}${index}`);
    const texts = changedTexts("one", keys);
    expect(texts.every((text) => Buffer.byteLength(text) < 8_000)).toBe(true);
    expect(texts.map(parseHint).flatMap((hint) => (hint && "changed" in hint ? hint.changed : []))).toEqual(keys);
    expect(texts.slice(0, -1).every((text) => Buffer.byteLength(text) > 7_600)).toBe(true);
  });

  it("should leave a key out that is too long for any text", () => {
    expect(changedTexts("one", ["a", "x".repeat(8_000), "b"]).map(parseHint)).toEqual([{ from: "one", changed: ["a", "b"] }]);
    expect(changedTexts("one", [])).toEqual([]);
  });

  it("should count bytes, not characters", () => {
    const hint = (data: string) => hintText({ from: "one", topic: "t", data });
    expect(hint("x".repeat(7_800))).toBeDefined();
    expect(hint("é".repeat(7_800))).toBeUndefined();
  });
});
