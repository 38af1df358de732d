import { isDeepStrictEqual } from "node:util";
import type { Json } from "@handover/core";
import { createDraft, type Draft } from "../handover/draft.ts";
import type { HandoverRecord } from "../store/records.ts";

/**
 * Takes other options for a handover that runs. A desk that was called already is told about them; a connection that was not gets
 * them with its start.
 *
 * @param options by connection, checked
 * @returns nothing when they are the same
 */
export function changeOptions(
  handover: HandoverRecord,
  options: Readonly<Record<string, Json>>,
  now: { readonly nowMs: number; readonly lastSeq: number },
): Draft | undefined {
  const { attempt } = handover;
  const told = handover.options[attempt.connection];
  const wanted = options[attempt.connection];
  const isCalled = attempt.startCalls > 0;
  const kept = isCalled && told !== undefined ? { ...options, [attempt.connection]: told } : options;
  const { optionsChange: _former, ...others } = handover;
  const isOther = isCalled && wanted !== undefined && !isDeepStrictEqual(wanted, told);
  const changed: HandoverRecord = { ...others, options: kept, ...(isOther ? { optionsChange: wanted } : {}) };
  if (isDeepStrictEqual(changed, handover)) return undefined;
  const draft = createDraft(handover, now.nowMs, now.lastSeq);
  draft.handover = changed;
  return draft;
}
