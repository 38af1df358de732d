import { expect, it } from "vitest";
import { isWake } from "./delivery.ts";

it("should tell the provider's own timer from a delivery of the vendor", () => {
  expect(isWake({ wake: true, atMs: 1 })).toBe(true);
  expect(isWake({ references: ["conversation:1"], payload: { wake: true } })).toBe(false);
});
