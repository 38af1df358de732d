import type { QueueInfo } from "@handover/core";
import { describe, expect, it } from "vitest";
import { defaultTexts } from "../texts.ts";
import { findQueueIssues, type QueueOptions } from "./queue-options.ts";
import { knownQueue, queueWords, shownQueue } from "./queue-rules.ts";

const longer: QueueInfo = { text: "It takes longer than usual today." };
const alternative: QueueOptions = { alternativeUpdate: true, alternativeText: "It takes longer than usual today." };

describe("what is shown of a queue", () => {
  it.each([
    ["-1", { position: -1, estimatedWaitMs: -1 }, {}],
    ["-2", { position: -2, estimatedWaitMs: -2 }, {}],
    ["null", { position: null, estimatedWaitMs: null, name: null, text: null }, {}],
    ["NaN", { position: Number.NaN, estimatedWaitMs: Number.NaN }, {}],
    ["infinity", { position: Infinity, estimatedWaitMs: Infinity }, {}],
    ["a text for a number", { position: "3", estimatedWaitMs: "60000" }, {}],
    ["0", { position: 0, estimatedWaitMs: 0 }, { position: 0, estimatedWaitMs: 0 }],
    ["a name alone", { name: "Support" }, { name: "Support" }],
  ])("should leave out what says nothing, and keep a zero: %s [F142 part: the runtime]", (_case, said, known) => {
    expect(knownQueue(said as unknown as QueueInfo)).toEqual(known);
    expect(shownQueue(said as unknown as QueueInfo, {})).toEqual(known);
  });

  it.each<[string, QueueOptions, QueueInfo, QueueInfo]>([
    ["the position at its maximum", { maximumQueuePosition: 5 }, { position: 5 }, { position: 5 }],
    ["one more", { maximumQueuePosition: 5 }, { position: 6 }, longer],
    ["the wait at its maximum", { maximumEstimatedWaitTimeMs: 60_000 }, { estimatedWaitMs: 60_000 }, { estimatedWaitMs: 60_000 }],
    ["a little more", { maximumEstimatedWaitTimeMs: 60_000 }, { estimatedWaitMs: 60_001 }, longer],
    [
      "only the position has a maximum",
      { maximumQueuePosition: 5 },
      { position: 5, estimatedWaitMs: 9e9 },
      { position: 5, estimatedWaitMs: 9e9 },
    ],
    [
      "only the wait has one",
      { maximumEstimatedWaitTimeMs: 1 },
      { position: 999, estimatedWaitMs: 1 },
      { position: 999, estimatedWaitMs: 1 },
    ],
    ["one of both is too much", { maximumQueuePosition: 5, maximumEstimatedWaitTimeMs: 1 }, { position: 1, estimatedWaitMs: 2 }, longer],
    ["a maximum of 0", { maximumQueuePosition: 0 }, { position: 1 }, longer],
    ["nothing is known", { maximumQueuePosition: 0, maximumEstimatedWaitTimeMs: 0 }, { name: "Support" }, { name: "Support" }],
    ["a number that is not shown is too much", { maximumQueuePosition: 5, getQueuePosition: false }, { position: 6 }, longer],
  ])("should take exceeded for above: %s [F143]", (_case, limits, queue, shown) => {
    expect(shownQueue(queue, { ...alternative, ...limits })).toEqual(shown);
    const withoutNumbers = "text" in shown ? queue : shown;
    // The maxima are nothing to somebody who wants no alternative, and that wish is nothing without a maximum.
    if (limits.getQueuePosition !== false) expect(shownQueue(queue, limits)).toEqual(withoutNumbers);
    expect(shownQueue({ position: 1e9, estimatedWaitMs: 1e12 }, alternative)).toEqual({ position: 1e9, estimatedWaitMs: 1e12 });
  });

  it("should be put into words, a sentence for each number that is known", () => {
    expect(queueWords({ position: 0, estimatedWaitMs: 0 }, defaultTexts)).toBe("You are number 0 in the queue. Estimated wait: 0 min.");
    expect(queueWords({ position: 3 }, defaultTexts)).toBe("You are number 3 in the queue.");
    expect(queueWords({ estimatedWaitMs: 60_001 }, defaultTexts)).toBe("Estimated wait: 2 min.");
    expect(queueWords({ position: 3, text: "Soon." }, defaultTexts)).toBe("Soon.");
    expect(queueWords({ position: 3 }, { ...defaultTexts, queuePosition: "" })).toBeUndefined();
    expect(queueWords({ name: "Support" }, defaultTexts)).toBeUndefined();
  });
});

describe("what is said about a queue", () => {
  it("should be taken with every key and in every combination [F143 part: not refused]", () => {
    const all: Required<QueueOptions> = {
      getQueuePosition: true,
      updateIntervalQueuePositionSeconds: 0.5,
      getEstimatedWaitTime: false,
      updateIntervalEstimatedWaitTimeSeconds: 120,
      alternativeUpdate: true,
      maximumQueuePosition: 0,
      maximumEstimatedWaitTimeMs: 0,
      alternativeText: "",
    };
    expect(findQueueIssues({ ...all })).toEqual([]);
    for (const [key, value] of Object.entries(all)) expect(findQueueIssues({ [key]: value })).toEqual([]);
    expect(findQueueIssues({})).toEqual([]);
  });

  it.each([
    ["maximumQueuePosition", "5"],
    ["maximumQueuePosition", -1],
    ["maximumEstimatedWaitTimeMs", Number.NaN],
    ["updateIntervalQueuePositionSeconds", 0],
    ["getQueuePosition", "yes"],
    ["updateIntervalQueuePosition", 30],
  ])("should be refused with its key: %s: %s", (key, value) => {
    expect(findQueueIssues({ [key]: value })).toEqual([{ path: ["queue", key], message: expect.any(String) as string }]);
  });
});
