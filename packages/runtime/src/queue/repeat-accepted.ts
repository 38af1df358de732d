import { endpointOf } from "../endpoints.ts";
import type { StoredEntry } from "../entry.ts";
import { entriesAfter } from "../handover/desk-entries.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import type { LaneScope } from "../lanes/lane.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { isInQueue } from "./poll-times.ts";

/**
 * Shows the text `accepted` again to somebody who writes while waiting, where that is wanted: once for what was written since the
 * last time.
 *
 * @returns whether it was shown
 */
export async function repeatAccepted(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<boolean> {
  const { context, key } = scope;
  const text = endpointOf(context.endpoints, conversation.endpoint).texts.accepted;
  const from = handover.repeatedThrough ?? handover.requestedSeq;
  if (!handover.repeatsAccepted || text === "" || from >= conversation.lastSeq) return false;
  let through: number | undefined;
  for await (const entry of entriesAfter(context.store, key, from)) {
    if (entry.status === "queued") through = undefined;
    else if (isWritten(entry)) through = entry.seq;
  }
  if (through === undefined) return false;
  const repeatedThrough = through;
  await changeHandover(scope, handover.id, (draft) => {
    if (!isInQueue(draft.handover) || (draft.handover.repeatedThrough ?? 0) >= repeatedThrough) return undefined;
    draft.handover = { ...draft.handover, repeatedThrough };
    draft.append.push({
      id: `accepted:${repeatedThrough}`,
      source: "runtime",
      kind: "message",
      at: new Date(draft.nowMs).toISOString(),
      author: { role: "system" },
      text,
      handover: handover.id,
      audience: ["user"],
    });
    return {};
  });
  return true;
}

function isWritten(entry: StoredEntry): boolean {
  return entry.kind === "message" && entry.author?.role === "user" && !entry.isErased;
}
