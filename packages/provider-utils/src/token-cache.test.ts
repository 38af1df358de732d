import { describe, expect, it } from "vitest";
import { createTokenCache, type Token } from "./index.ts";

function setUp(): {
  clock: { ms: number; now(): number };
  answers: PromiseWithResolvers<Token>[];
  cache: ReturnType<typeof createTokenCache>;
} {
  const clock = { ms: 0, now: () => clock.ms };
  const answers: PromiseWithResolvers<Token>[] = [];
  const cache = createTokenCache({
    clock,
    skewMs: 1000,
    fetchToken: () => {
      const answer = Promise.withResolvers<Token>();
      answers.push(answer);
      return answer.promise;
    },
  });
  return { clock, answers, cache };
}

const signal = new AbortController().signal;

describe("token cache", () => {
  it("should fetch once for many callers, and again shortly before the end [F108]", async () => {
    const { clock, answers, cache } = setUp();
    const callers = Array.from({ length: 50 }, () => cache.get(signal));
    answers[0]?.resolve({ value: "one", expiresAtMs: 10_000 });
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["one"]));
    clock.ms = 8999;
    expect(await cache.get(signal)).toBe("one");
    clock.ms = 9000;
    const renewed = cache.get(signal);
    answers[1]?.resolve({ value: "two" });
    expect(await renewed).toBe("two");
    expect(answers).toHaveLength(2);
  });

  it("should renew once for many refusals of one token [F108]", async () => {
    const { answers, cache } = setUp();
    const first = cache.get(signal);
    answers[0]?.resolve({ value: "one" });
    await first;
    cache.invalidate("one");
    const second = cache.get(signal);
    cache.invalidate("one");
    answers[1]?.resolve({ value: "two" });
    await second;
    cache.invalidate("one");
    expect(await cache.get(signal)).toBe("two");
    expect(answers).toHaveLength(2);
  });

  it("should try again after a failure", async () => {
    const { answers, cache } = setUp();
    const first = cache.get(signal);
    answers[0]?.reject(new Error("down"));
    await expect(first).rejects.toThrow("down");
    const second = cache.get(signal);
    answers[1]?.resolve({ value: "one" });
    expect(await second).toBe("one");
  });

  it("should let one caller give up without stopping the others", async () => {
    const { answers, cache } = setUp();
    const controller = new AbortController();
    const impatient = cache.get(controller.signal);
    const patient = cache.get(signal);
    controller.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    answers[0]?.resolve({ value: "one" });
    expect(await patient).toBe("one");
  });
});
