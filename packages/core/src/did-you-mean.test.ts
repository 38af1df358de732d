import { expect, it } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

it.each([
  ["livperson", "liveperson"],
  ["Live_Agent", "live-agent"],
  ["eightByEight", "eightbyeight"],
  ["live-agnet", "live-agent"],
])("should take %s for %s", (word, meant) => {
  expect(didYouMean(word, ["eightbyeight", "live-agent", "liveperson"])).toBe(meant);
});

it.each([["genesys"], [""], ["../../evil"]])("should take %j for nothing that is known", (word) => {
  expect(didYouMean(word, ["eightbyeight", "live-agent", "liveperson"])).toBeUndefined();
});

it("should know nothing where there is nothing to choose from", () => {
  expect(didYouMean("live-agent", [])).toBeUndefined();
});

it("should not compare what is too long to be a mistyped word", () => {
  const long = "x".repeat(100);
  expect(didYouMean(`${long}y`, [long])).toBeUndefined();
});
