/** Nothing in it has to be escaped. */
const isOrdinary = /^[ !#-[\]-~]*$/;

/**
 * An id from outside as the text of a key column. SQLite's text is UTF-8, which has no lone surrogates: two different ids would
 * become one. JSON's escapes keep every string of JavaScript apart, and leave ordinary ids as they are.
 */
export function toColumnText(text: string): string {
  if (isOrdinary.test(text)) return text;
  return JSON.stringify(text).slice(1, -1);
}
