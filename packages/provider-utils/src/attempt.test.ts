import { expect, it } from "vitest";
import { attempt, isFailure } from "./attempt.ts";

it("should give back what a step gave, and what it threw as a failure", async () => {
  expect(await attempt(async () => ({ id: 7 }))).toEqual({ id: 7 });
  const error = new Error("refused");
  const failed = await attempt(() => Promise.reject(error));
  expect(isFailure(failed) && failed.error).toBe(error);
  for (const result of [undefined, null, "", { isFailure: false }]) expect(isFailure(await attempt(async () => result))).toBe(false);
});
