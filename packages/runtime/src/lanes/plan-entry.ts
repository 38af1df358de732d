import { createHash } from "node:crypto";
import { HandoverError, isEmptyMessage, type Message, type MessagePart } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import { toDeskMessage } from "../handover/desk-entries.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { HandoverRecord, PartRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import type { SendScope } from "./send-scope.ts";

/** The parts of an entry, to be stored once and for good; or why it has none. */
export function planEntry(
  scope: SendScope,
  entry: StoredEntry,
): { readonly parts: readonly [PartRecord, ...PartRecord[]] } | { readonly error: string } {
  const planned = planParts(scope, toDeskMessage(entry, scope.handover.id));
  if (planned.error !== undefined) return planned;
  const { length } = planned.parts;
  const nowMs = scope.context.clock.now();
  const [first, ...others] = planned.parts.map((part, index) => toPartRecord(scope.handover, entry.seq, part, index, length, nowMs));
  return first ? { parts: [first, ...others] } : { error: "UNSUPPORTED_MESSAGE" };
}

/** What a message becomes. A provider that throws here is broken for this message, which must not stop the next one. */
function planParts(
  scope: SendScope,
  message: Message,
): { readonly parts: readonly MessagePart[]; readonly error?: undefined } | { readonly error: string; readonly parts?: undefined } {
  const { connection, conversation, handover } = scope;
  if (connection.handle.sendMessage === undefined) return { parts: [] };
  try {
    const view = toProviderHandover(conversation, handover, handover.attempt, connection);
    const planned = connection.handle.planMessage?.(view, message) ?? [{ message }];
    return { parts: planned.filter((part) => !isEmptyMessage(part.message) || part.data !== undefined) };
  } catch (error) {
    const code = HandoverError.isInstance(error) ? error.code : "PLANNING_FAILED";
    const fields = failureFields(scope.context, { handover: handover.id, connection: connection.name }, { code, error });
    scope.context.logger.error(`A message could not be prepared for the desk: ${errorSummary(error)}`, fields);
    return { error: code };
  }
}

function toPartRecord(handover: HandoverRecord, seq: number, part: MessagePart, index: number, count: number, nowMs: number): PartRecord {
  const attempt = handover.attempt.number;
  const key = createHash("sha256").update(`${handover.id}/${attempt}/${seq}/${index}`).digest("base64url").slice(0, 24);
  return { handover: handover.id, attempt, seq, index, count, key, part, status: "planned", calls: 0, firstAtMs: nowMs };
}
