import { conversationKey } from "../conversation/conversation-key.ts";
import { readView, transact, type ConversationView } from "../conversation/transact.ts";
import { requireEndpoint } from "../endpoints.ts";
import { createDraft, draftCommit } from "../handover/draft.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { PresenceRecord } from "../store/records.ts";
import { firstPresence, presenceListener, presenceOf } from "./presence-record.ts";

/**
 * Notes that a user came or went, as this process sees it. Written down only where somebody has to look later: going away while
 * people are there, so that an instance that dies leaves nothing wrong, and coming back when the desk was told of the going.
 */
export async function setPresence(context: RuntimeContext, request: ConversationAddress & { readonly isPresent: boolean }): Promise<void> {
  requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  const { isPresent } = request;
  if (!context.presence.note(key, isPresent)) return;
  if (!toCheck(context, await readView(context, key), isPresent)) return;
  await transact(context, { key }, (view) => {
    const presence = toCheck(context, view, isPresent);
    if (!presence || !view.handover || !view.conversation) return { result: undefined };
    const draft = createDraft({ ...view.handover, presence }, context.clock.now(), view.conversation.lastSeq);
    return { result: undefined, commit: draftCommit(draft) };
  });
}

/** What is to be written; nothing where nobody has to look, or somebody looks anyway. */
function toCheck(context: RuntimeContext, { conversation, handover }: ConversationView, isPresent: boolean): PresenceRecord | undefined {
  if (!conversation || !handover || !presenceListener(context, conversation, handover)) return undefined;
  const known = presenceOf(handover);
  const nowMs = context.clock.now();
  if (isPresent) return known ? (known.isPresent ? undefined : { ...known, checkAtMs: nowMs }) : firstPresence(handover);
  if (known && (!known.isPresent || known.checkAtMs !== undefined)) return undefined;
  return { ...(known ?? firstPresence(handover)), checkAtMs: nowMs + context.timing.presenceGraceMs };
}
