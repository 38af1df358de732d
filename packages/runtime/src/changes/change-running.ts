import { isDeepStrictEqual } from "node:util";
import type { Json } from "@handover/core";
import type { ConversationView, Decision } from "../conversation/transact.ts";
import { mergeOptions, type Endpoint } from "../endpoints.ts";
import { createDraft, draftCommit, type Draft } from "../handover/draft.ts";
import type { HandoverRequest } from "../request-and-end.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { HandoverRecord } from "../store/records.ts";
import { changeOptions } from "./change-options.ts";

/** A handover is asked for while one runs: it is kept, with what is given now of options, user and queue. */
export function changeRunning(
  context: RuntimeContext,
  endpoint: Endpoint,
  { conversation, handover }: ConversationView,
  request: Pick<HandoverRequest, "options" | "user" | "queue">,
): Decision<string | undefined> {
  if (!conversation || !handover) return { result: undefined };
  const now = { nowMs: context.clock.now(), lastSeq: conversation.lastSeq };
  const changed = request.options ? changeOptions(handover, newOptions(context, endpoint, handover, request.options), now) : undefined;
  const isOtherUser = request.user !== undefined && !isDeepStrictEqual(request.user, conversation.user);
  if (!changed && !isOtherUser && !request.queue) return { result: handover.id };
  const draft: Draft = changed ?? createDraft(handover, now.nowMs, now.lastSeq);
  if (request.queue) draft.handover = { ...draft.handover, queueOptions: { ...draft.handover.queueOptions, ...request.queue } };
  return {
    result: handover.id,
    commit: { ...draftCommit(draft), ...(isOtherUser ? { update: { user: request.user } } : {}) },
  };
}

/** What is given now is laid over what the handover has. */
function newOptions(
  context: RuntimeContext,
  endpoint: Endpoint,
  { options, optionsChange, attempt }: HandoverRecord,
  given: Readonly<Record<string, Json>>,
): Record<string, Json> {
  const current = optionsChange === undefined ? options : { ...options, [attempt.connection]: optionsChange };
  return mergeOptions(endpoint, context.connections, [current, given]);
}
