import { createHash } from "node:crypto";

/** Below this a collision would no longer be a matter of never: 16 characters are 96 bits. */
const fewestDigestCharacters = 16;

/**
 * Makes an id out of parts: the same parts give the same id, on every instance and for ever. For keys at a vendor that must be
 * found again after a crash. Made of `prefix` and `[A-Za-z0-9_-]`; the parts cannot be read back.
 *
 * @param maxLength of the whole id, in characters
 * @throws RangeError when `maxLength` leaves fewer than 16 characters beside the prefix
 */
export function stableId(prefix: string, parts: readonly (string | number)[], maxLength: number): string {
  const room = maxLength - prefix.length;
  if (room < fewestDigestCharacters) throw new RangeError(`An id of ${maxLength} characters has no room for the prefix "${prefix}".`);
  // As JSON, so that ["ab", "c"] and ["a", "bc"] differ.
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
  return prefix + digest.slice(0, room);
}
