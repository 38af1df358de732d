import type { HandoverRecord } from "./records.ts";

/**
 * True while a handover has something left to do: it has not ended, one of its conversations at a vendor still has to be ended, or
 * the answers of a survey are on their way. What `Store.readOpenHandovers` and `Store.listOpenHandovers` go by.
 */
export function isOpenHandover({ status, leaving, attempt, surveys }: HandoverRecord): boolean {
  const isOver = status === "ended" && leaving.length === 0 && attempt.phase === "over";
  return !isOver || surveys?.some(({ submission }) => submission?.status === "pending") === true;
}
