import { HandoverError } from "@handover/core";
import { waitForChange } from "./conversation/wait-for-change.ts";
import { userScope } from "./connections/memory.ts";
import { endHandover } from "./request-and-end.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConversationRecord } from "./store/records.ts";

/** What came of erasing a user. */
export interface EraseResult {
  /** Conversations whose content is gone. */
  readonly erased: number;
  /** Conversations whose handover is not over yet: they are erased as soon as it is. Ask again to be sure. */
  readonly waiting: number;
}

const pageSize = 100;

/**
 * Takes everything that the store knows of a user: the content of all conversations, and what providers remember. A handover that
 * runs is ended first, and its end waited for as long as one call of a vendor may take.
 */
export async function eraseUser(
  context: RuntimeContext,
  request: { readonly endpoint?: string; readonly user: string },
): Promise<EraseResult> {
  const patience = new AbortController();
  const cancel = context.clock.after(context.timing.callTimeoutMs, () => patience.abort());
  const stop = AbortSignal.any([patience.signal, context.stopSignal]);
  const counts = { erased: 0, waiting: 0 };
  try {
    for await (const key of conversationsOf(context, request)) {
      const conversation = await context.store.readConversation(key);
      if (conversation) counts[await eraseConversation(context, conversation, stop)] += 1;
    }
  } finally {
    cancel();
  }
  await eraseMemory(context, [request.user]);
  return counts;
}

async function* conversationsOf(
  context: RuntimeContext,
  request: { readonly endpoint?: string; readonly user: string },
): AsyncGenerator<string> {
  for (let after: string | undefined; ;) {
    const page = await context.store.listConversationsOfUser({ ...request, ...(after === undefined ? {} : { after }), limit: pageSize });
    yield* page;
    after = page.at(-1);
    if (after === undefined || page.length < pageSize) return;
  }
}

async function eraseConversation(
  context: RuntimeContext,
  conversation: ConversationRecord,
  stop: AbortSignal,
): Promise<"erased" | "waiting"> {
  await endRunning(context, conversation);
  await untilClosed(context, conversation.key, stop);
  const result = await context.store.erase(conversation.key);
  await eraseMemory(context, [conversation.conversation]);
  if (result === "erased") await context.store.note([{ atMs: context.clock.now(), what: "erased", conversation: conversation.key }]);
  return result;
}

async function endRunning(context: RuntimeContext, { currentHandover, endpoint, conversation }: ConversationRecord): Promise<void> {
  if (currentHandover === undefined || !context.endpoints.has(endpoint)) return;
  try {
    await endHandover(context, { endpoint, conversation, actor: "system" });
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!HandoverError.isInstance(error) || error.code !== "NO_HANDOVER") throw error;
  }
}

/** Until nothing of the conversation is open at a desk, or the patience is over. */
async function untilClosed(context: RuntimeContext, key: string, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const change = context.changes.next(key);
    try {
      if ((await context.store.readOpenHandovers(key)).length === 0) return;
      await waitForChange(context, change.promise, stop);
    } finally {
      change.cancel();
    }
  }
}

/** Providers remember a user by id, or by the conversation where nobody vouches for the id. */
async function eraseMemory(context: RuntimeContext, userKeys: readonly string[]): Promise<void> {
  const accounts = new Set(context.connections.names.map((name) => context.connections.get(name).handle.accountKey));
  await context.store.eraseMemory([...accounts].flatMap((account) => userKeys.map((userKey) => userScope(account, userKey))));
}
