import { createDraft, draftCommit, type Draft } from "../handover/draft.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { transact } from "../conversation/transact.ts";
import type { Commit, ConversationPatch, ConversationRecord, HandoverRecord } from "../store/records.ts";
import type { LaneScope } from "./lane.ts";
import { reportUnseen } from "./report-unseen.ts";

/** What else is committed with a change of a handover. */
export type Extras = Pick<Commit, "consume" | "references" | "deliveries" | "expectLastSeq"> & { readonly update?: ConversationPatch };

/**
 * Changes one handover of the conversation, atomically and from its newest record. `change` may be run again when something
 * else came first; it returns `undefined` to leave everything as it is.
 *
 * @returns the handover as committed, or as it was found; `undefined` when it does not exist
 */
export async function changeHandover(
  scope: LaneScope,
  handoverId: string,
  change: (draft: Draft, conversation: ConversationRecord) => Promise<Extras | undefined> | Extras | undefined,
): Promise<HandoverRecord | undefined> {
  const { context, key, fence } = scope;
  let after: { readonly draft: Draft; readonly conversation: ConversationRecord } | undefined;
  const { result } = await transact(context, { key, fence }, async (view) => {
    after = undefined;
    const handover = view.handover?.id === handoverId ? view.handover : await context.store.readHandover(handoverId);
    if (!handover || !view.conversation) return { result: undefined };
    const draft = createDraft(handover, context.clock.now(), view.conversation.lastSeq);
    const extras = await change(draft, view.conversation);
    if (!extras) return { result: handover };
    after = { draft, conversation: view.conversation };
    const update = { ...extras.update, ...endedPatch(view.handover, draft.handover) };
    return {
      result: draft.handover,
      commit: {
        ...extras,
        ...draftCommit(draft),
        ...(Object.keys(update).length > 0 ? { update } : {}),
      },
    };
  });
  if (after) afterCommit(context, after.draft, after.conversation);
  return result;
}

/** What goes out beside the log, once the change is in it. */
function afterCommit(context: RuntimeContext, draft: Draft, conversation: ConversationRecord): void {
  if (draft.clearsTyping) context.typing.clear(conversation.key);
  context.receipts.show(conversation.key, draft.amend);
  for (const { what } of draft.journal) {
    if (what === "message-after-end") context.logger.debug("What a desk says after the end is not shown.", { handover: draft.handover.id });
  }
  for (const message of draft.unseen) reportUnseen(context, conversation, draft.handover, message);
}

/** A handover that has ended is no longer the conversation's current one. */
function endedPatch(current: HandoverRecord | undefined, changed: HandoverRecord): ConversationPatch {
  const hasJustEnded = current?.id === changed.id && changed.status === "ended";
  return hasJustEnded ? { currentHandover: null, lastHandover: changed.id } : {};
}
