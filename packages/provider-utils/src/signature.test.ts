import { describe, expect, it } from "vitest";
import { computeHmac, safeEqual, verifyHmac } from "./index.ts";

describe("signatures", () => {
  const body = new TextEncoder().encode('{"event":"message_created","id":1001,"content":"Grüße 👋"}');
  const options = { algorithm: "sha256", encoding: "hex", secret: "test-secret", data: ["1767261600", ".", body] } as const;
  const signature = "e7f524ada0d0f11bec0a3002a373c289ad4258c18dae846c70323c3e03892ee2";

  it("should sign raw bytes with text around them, non-ASCII included [F104]", () => {
    expect(computeHmac(options)).toBe(signature);
    expect(verifyHmac(options, signature.toUpperCase())).toBe(true);
  });

  it("should refuse one flipped bit, another length and an empty secret", () => {
    const flipped = Uint8Array.from(body, (byte, index) => (index === 3 ? byte ^ 1 : byte));
    expect(verifyHmac({ ...options, data: ["1767261600", ".", flipped] }, signature)).toBe(false);
    expect(verifyHmac(options, signature.slice(0, 10))).toBe(false);
    expect(verifyHmac(options, "")).toBe(false);
    const unsigned = { ...options, secret: "" };
    expect(verifyHmac(unsigned, computeHmac(unsigned))).toBe(false);
  });

  it("should do SHA-1 and base64, where upper case counts", () => {
    // RFC 2202, test case 2.
    const hmac = { algorithm: "sha1", encoding: "base64", secret: "Jefe", data: ["what do ya want for nothing?"] } as const;
    expect(computeHmac(hmac)).toBe(Buffer.from("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", "hex").toString("base64"));
    expect(verifyHmac(hmac, computeHmac(hmac))).toBe(true);
    expect(verifyHmac(hmac, computeHmac(hmac).toUpperCase())).toBe(false);
  });

  it("should compare secrets of any length", () => {
    expect(safeEqual("abc", "abc")).toBe(true);
    expect(safeEqual("abc", "abd")).toBe(false);
    expect(safeEqual("abc", "abcd")).toBe(false);
  });
});
