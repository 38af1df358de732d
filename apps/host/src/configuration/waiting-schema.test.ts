import { describe, expect, test } from "vitest";
import { readBotAnswer } from "../bots/http-bot-answer.ts";
import { availabilitySchema, queueSchema } from "./waiting-schema.ts";

const whole = {
  getQueuePosition: true,
  updateIntervalQueuePositionSeconds: 0.5,
  getEstimatedWaitTime: true,
  updateIntervalEstimatedWaitTimeSeconds: 60,
  alternativeUpdate: true,
  maximumQueuePosition: 0,
  maximumEstimatedWaitTimeMs: 600_000,
  alternativeText: "It takes longer.",
};

describe("the settings of a queue", () => {
  test("should be taken together and each alone [F143 part: not refused]", () => {
    expect(queueSchema.parse(whole)).toEqual(whole);
    for (const [key, value] of Object.entries(whole)) expect(queueSchema.parse({ [key]: value })).toEqual({ [key]: value });
  });

  test.each([
    ["a key without its unit", { updateIntervalQueuePosition: 30 }],
    ["no interval", { updateIntervalQueuePositionSeconds: 0 }],
    ["a negative maximum", { maximumQueuePosition: -1 }],
    ["a text for a number", { maximumEstimatedWaitTimeMs: "600000" }],
  ])("should be refused with %s", (_case, queue) => {
    expect(queueSchema.safeParse(queue).success).toBe(false);
  });
});

describe("the settings of the availability", () => {
  test("should say with one of two words what happens when nobody can tell", () => {
    expect(availabilitySchema.parse({ checkBeforeStart: false, whenUnknown: "stop" })).toEqual({
      checkBeforeStart: false,
      whenUnknown: "stop",
    });
    expect(availabilitySchema.safeParse({ whenUnknown: "maybe" }).success).toBe(false);
  });
});

describe("a bot's answer", () => {
  test("should say how its handover waits, and break nothing with what it does not know", () => {
    const handover = { options: {}, queue: whole, repeatHandoverMessage: false };
    expect(readBotAnswer(JSON.stringify({ handover }))).toEqual({ handover });
    expect(readBotAnswer(JSON.stringify({ handover: { queue: { later: 1 } } }))).toEqual({ handover: { queue: {} } });
    expect(() => readBotAnswer(JSON.stringify({ handover: { queue: { maximumQueuePosition: "5" } } }))).toThrow("maximumQueuePosition");
  });
});
