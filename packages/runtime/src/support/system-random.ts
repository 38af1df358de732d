import { randomBytes } from "node:crypto";
import type { Random } from "@handover/core";

/** The machine's secure randomness. */
export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  number: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};

/** 128 random bits as 22 URL-safe characters. */
export function randomId(random: Random): string {
  return Buffer.from(random.bytes(16)).toString("base64url");
}
