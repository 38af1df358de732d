import { describe, expect, it } from "vitest";
import { endsInTime } from "./call-deadline.ts";

describe("the signal of a call", () => {
  it("should be aborted from its deadline on, also when no timer has gone off, for whatever is made of it", async () => {
    let isOver = false;
    const signal = endsInTime(
      new AbortController(),
      () => isOver,
      () => new Error("too late"),
    );
    const heard: unknown[] = [];
    signal.addEventListener("abort", () => heard.push(signal.reason));
    const combined = AbortSignal.any([signal]);
    expect(signal.aborted).toBe(false);
    isOver = true;
    expect(signal.aborted).toBe(true);
    expect(signal.aborted).toBe(true);
    expect(heard).toEqual([new Error("too late")]);
    expect(() => signal.throwIfAborted()).toThrow("too late");
    expect(combined.aborted).toBe(true);
    await expect(fetch("http://127.0.0.1:1/", { signal })).rejects.toThrow("too late");
  });

  it("should be thrown by a provider that asks between two requests, and not before its deadline", () => {
    let isOver = false;
    const signal = endsInTime(
      new AbortController(),
      () => isOver,
      () => new Error("too late"),
    );
    expect(() => signal.throwIfAborted()).not.toThrow();
    isOver = true;
    expect(() => signal.throwIfAborted()).toThrow("too late");
  });

  it("should keep a request from leaving that is made after the deadline, and no other", async () => {
    let isOver = true;
    const late = endsInTime(
      new AbortController(),
      () => isOver,
      () => new Error("too late"),
    );
    await expect(fetch("http://127.0.0.1:1/", { signal: late })).rejects.toThrow("too late");
    isOver = false;
    const early = endsInTime(
      new AbortController(),
      () => isOver,
      () => new Error("too late"),
    );
    await expect(fetch("http://127.0.0.1:1/", { signal: early })).rejects.not.toThrow("too late");
  });
});
