const longestName = 200;
const longestExtension = 16;
const fallback = "file";

/** Control characters, line and paragraph separators, and what turns the direction of the text that follows. */
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The name of a file as it may be shown and saved: without folders and control characters, at most 200 characters, any Unicode;
 * `file` when nothing is left.
 */
export function cleanFileName(name: unknown): string {
  const text = typeof name === "string" ? name.slice(-4 * longestName).toWellFormed() : "";
  const parts = text.split(/[/\\]/).map((part) => part.replace(unsafe, "").trim());
  const last = parts.findLast((part) => part.replaceAll(".", "") !== "");
  return last === undefined ? fallback : shorten(last);
}

/** Cuts the middle out: the end says what kind of file it is. */
function shorten(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= longestName) return name;
  const extension = Array.from(/\.[^.]*$/u.exec(name)?.[0] ?? "");
  const end = extension.length > longestExtension ? [] : extension;
  return [...characters.slice(0, longestName - end.length), ...end].join("");
}
