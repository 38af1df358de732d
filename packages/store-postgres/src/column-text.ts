import { createHash } from "node:crypto";

/**
 * A text from outside as the text of a column. PostgreSQL's text has neither NUL nor lone surrogates. JSON's escapes keep every
 * string of JavaScript apart, and leave ordinary ids as they are.
 */
export function toColumnText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

export function fromColumnText(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}

/** A text as it stands, with its quotes, in a record that `plain_v1` has gone through: no two of them become one. */
export function toPlainText(text: string): string {
  const escaped = toColumnText(text)
    .replaceAll("\x7f", "\x7f0")
    .replaceAll("\\\\", "\x7f1")
    .replaceAll('\\"', "\x7f2")
    .replaceAll("\\", "\x7f3");
  return `"${escaped}"`;
}

/** An index takes about 2,700 bytes per row, for all of its columns together. */
const longestLookup = 400;

/**
 * A text from outside as something to look up. A long one is known by its hash, behind a mark that no escaped text begins with.
 * What has to be read again stands in the record, or in a column without an index.
 */
export function toLookupText(text: string): string {
  const column = toColumnText(text);
  return column.length <= longestLookup ? column : `\\#${createHash("sha256").update(column).digest("hex")}`;
}
