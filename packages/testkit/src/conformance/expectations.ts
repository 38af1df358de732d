import { expect } from "vitest";
import type { ConformanceMessage } from "./conformance-backend.ts";

/** The texts stand in the messages in this order; several may be within one message. */
export function expectInOrder(messages: readonly ConformanceMessage[], texts: readonly string[]): void {
  const all = messages.map(({ text }) => text).join("\n");
  let from = 0;
  for (const text of texts) {
    const place = all.indexOf(text, from);
    expect(place, `"${text}" is missing or out of order`).toBeGreaterThanOrEqual(0);
    from = place + text.length;
  }
}

/** Nothing of what a program prints for something that it cannot print. */
export function expectReadable(text: string): void {
  expect(text).not.toMatch(/\bnull\b|\bundefined\b|\[object Object\]|\bNaN\b/);
}

/** Freezes a value and all that is in it. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
