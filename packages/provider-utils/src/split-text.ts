/** What a vendor counts: Unicode code points, UTF-16 units (what JavaScript counts), or bytes of UTF-8. */
export type TextUnit = "characters" | "utf16" | "bytes";

/** Where a text may be cut, best first. What the first group matches is dropped: the reader sees a new message instead. */
const borders = [/(\n[^\S\n]*\n\s*)/g, /(\n)/g, /(?<=[.!?\u2026\u3002\uff01\uff1f]["'\u201d\u2019)\]]{0,3})([^\S\n]+)/g, /([^\S\n]+)/g];

/** The smallest limit that fits any code point in any unit. */
const smallestLimit = 4;

/**
 * Cuts a text into parts that a vendor takes. Prefers the end of a paragraph, a line, a sentence, a word, in this order, as long
 * as a part is at least half full. Never cuts what a reader sees as one character, unless that alone is over the limit. Nothing
 * but white space at a cut is lost.
 *
 * @returns the parts in order; none of them is empty; no part for a text of white space
 * @throws RangeError for a limit below 4
 */
export function splitText(text: string, limit: number, unit: TextUnit): string[] {
  if (!(limit >= smallestLimit)) throw new RangeError(`A limit of ${limit} is too small for a text.`);
  const parts: string[] = [];
  let rest = "";
  let size = 0;
  for (const piece of piecesOf(text, limit, unit)) {
    const pieceSize = measureText(piece, unit);
    while (size + pieceSize > limit) {
      const cut = findCut(rest, piece);
      parts.push(rest.slice(0, cut.end));
      rest = rest.slice(cut.next);
      size = measureText(rest, unit);
    }
    if (rest === "" && parts.length > 0 && piece.trim() === "") continue;
    rest += piece;
    size += pieceSize;
  }
  parts.push(rest);
  return parts.filter((part) => part.trim() !== "");
}

/** How long a text is in a vendor's unit. */
export function measureText(text: string, unit: TextUnit): number {
  if (unit === "utf16") return text.length;
  if (unit === "bytes") return Buffer.byteLength(text, "utf8");
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The whole text where it fits, else what a reader sees as characters, and those that are too long as code points. */
function* piecesOf(text: string, limit: number, unit: TextUnit): Generator<string> {
  if (measureText(text, unit) <= limit) {
    yield text;
    return;
  }
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) {
    if (measureText(segment, unit) > limit) yield* segment;
    else yield segment;
  }
}

/** The place of the sentence among the borders: a full part can end with one, or at least with a word. */
const sentenceBorder = 2;
const sentenceEnd = /[.!?\u2026\u3002\uff01\uff1f]["'\u201d\u2019)\]]{0,3}$/;

/** Where the part ends and where the next one begins. `following` is what comes after the full part. */
function findCut(full: string, following: string): { end: number; next: number } {
  const whole = { end: full.length, next: full.length };
  if (/^[\r\n]/.test(following)) return whole;
  const endsWord = /^\s/.test(following);
  for (const [rank, border] of borders.entries()) {
    if (endsWord && rank >= sentenceBorder && (rank > sentenceBorder || sentenceEnd.test(full))) return whole;
    const last = [...full.matchAll(border)].at(-1);
    if (last && last.index >= full.length / 2) return { end: last.index, next: last.index + last[0].length };
  }
  return whole;
}
