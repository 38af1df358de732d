import { createHash } from "node:crypto";
import { HandoverError, isEmptyMessage, type Message, type MessagePart } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import { toMessage } from "../handover/desk-entries.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { HandoverRecord, PartRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { giveUpEntry } from "./give-up.ts";
import { again, type StepResult } from "./lane.ts";
import { changeSending, type SendScope } from "./send-scope.ts";

/** Plans the parts of an entry, once and for good. */
export async function planEntry(scope: SendScope, entry: StoredEntry): Promise<StepResult> {
  const { handover } = scope;
  const planned = planParts(scope, toMessage(entry));
  const isUser = entry.author?.role === "user";
  if (planned.error !== undefined) return giveUpEntry(scope, entry.seq, isUser, planned.error, []);
  const { parts } = planned;
  if (parts.length === 0) return giveUpEntry(scope, entry.seq, isUser, "UNSUPPORTED_MESSAGE", []);
  const records = parts.map((part, index) => toPartRecord(handover, entry.seq, part, index, parts.length, scope.context.clock.now()));
  await changeSending(scope, (draft) => {
    draft.parts.push(...records);
    return {};
  });
  return again;
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
    const fields = { handover: handover.id, connection: connection.name, code };
    scope.context.logger.error(`A message could not be prepared for the desk: ${errorSummary(error)}`, fields);
    return { error: code };
  }
}

function toPartRecord(handover: HandoverRecord, seq: number, part: MessagePart, index: number, count: number, nowMs: number): PartRecord {
  const attempt = handover.attempt.number;
  const key = createHash("sha256").update(`${handover.id}/${attempt}/${seq}/${index}`).digest("base64url").slice(0, 24);
  return { handover: handover.id, attempt, seq, index, count, key, part, status: "planned", calls: 0, firstAtMs: nowMs };
}
