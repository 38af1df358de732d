// @ts-check
// Times and numbers in words.

/** @param {string} at ISO 8601 @param {string} [language] */
export function toClockTime(at, language) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

/** @param {string} at ISO 8601 @param {string} [language] */
export function toDayName(at, language) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long" });
}

/** A number that can be shown: 0 can; what is missing, negative or not a number cannot. @param {unknown} value @returns {value is number} */
export const isKnownNumber = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;

/** @param {number} waitMs */
export function toWaitWords(waitMs) {
  if (waitMs === 0) return "no wait";
  if (waitMs < 60_000) return "less than a minute";
  const minutes = Math.round(waitMs / 60_000);
  if (minutes < 60) return minutes === 1 ? "about 1 minute" : `about ${String(minutes)} minutes`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? "about 1 hour" : `about ${String(hours)} hours`;
}
