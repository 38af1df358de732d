import { transact } from "../conversation/transact.ts";
import type { Endpoint } from "../endpoints.ts";
import type { NewEntry } from "../entry.ts";
import { createDraft, draftCommit } from "../handover/draft.ts";
import { beginEnding } from "../handover/ending.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { HandoverRecord } from "../store/records.ts";

/**
 * Takes a message that takes the request back: a press on the button, or one of the endpoint's words. The user sees it, bot and desk
 * do not. Once somebody has answered, it is a message like any other, for whoever answers; a button of a handover that is over does
 * nothing.
 *
 * @param pressed the handover whose button was pressed, if one was
 * @returns the number of the entry, or nothing when it is a message like any other
 */
export async function receiveCancel(
  context: RuntimeContext,
  key: string,
  endpoint: Endpoint,
  { entry, pressed }: { readonly entry: NewEntry; readonly pressed: string | undefined },
): Promise<number | undefined> {
  if (pressed === undefined && !isCancelWord(endpoint, entry.text)) return undefined;
  const { committed } = await transact(context, { key }, ({ conversation, handover }) => {
    if (!conversation) return { result: undefined };
    const append = [{ ...entry, audience: ["user" as const] }];
    if (pressed !== undefined && (handover?.id !== pressed || isOver(handover))) return { result: undefined, commit: { append } };
    if (!handover || isOver(handover) || handover.wasActive) return { result: undefined };
    const draft = createDraft(handover, context.clock.now(), conversation.lastSeq + 1);
    beginEnding(draft, { reason: "cancelled", actor: "user", closedBy: "us", windowMs: 0 });
    return { result: undefined, commit: { ...draftCommit(draft), append: [...append, ...draft.append] } };
  });
  return committed?.seqs[0];
}

function isOver({ status }: HandoverRecord): boolean {
  return status === "ending" || status === "ended";
}

/** The whole message is the word, in any case: a sentence that has it in it is for people. */
function isCancelWord({ handover }: Endpoint, text: string | undefined): boolean {
  const said = text?.trim().toLocaleLowerCase();
  return said !== undefined && said !== "" && (handover?.cancelWords ?? []).some((word) => word.trim().toLocaleLowerCase() === said);
}
