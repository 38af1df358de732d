import { callVendor } from "./connections/call-vendor.ts";
import { conversationKey } from "./conversation/conversation-key.ts";
import { readView } from "./conversation/transact.ts";
import { requireEndpoint } from "./endpoints.ts";
import { toProviderHandover } from "./handover/provider-view.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConversationAddress } from "./runtime.ts";
import { errorSummary } from "./support/describe-error.ts";
import { setNewest } from "./support/set-newest.ts";
import { randomId } from "./support/system-random.ts";

const rememberedKeys = 10_000;

/** Tells desks that their user types: at most one sign per time and state, never an error for the user. */
export function createUserTyping(
  context: RuntimeContext,
): (request: ConversationAddress & { readonly isTyping: boolean }) => Promise<void> {
  const last = new Map<string, { readonly isTyping: boolean; readonly atMs: number }>();

  /** True when the same sign was given a moment ago. */
  function isThrottled(key: string, isTyping: boolean): boolean {
    const nowMs = context.clock.now();
    const before = last.get(key);
    if (before?.isTyping === isTyping && nowMs - before.atMs < context.timing.typingThrottleMs) return true;
    setNewest(last, key, { isTyping, atMs: nowMs }, rememberedKeys);
    return false;
  }

  return async (request) => {
    requireEndpoint(context.endpoints, request.endpoint);
    const key = conversationKey(request);
    const { conversation, handover } = await readView(context, key);
    if (!conversation || handover?.attempt.phase !== "started" || handover.status === "ending") return;
    const connection = context.connections.get(handover.attempt.connection);
    if (!connection.handle.setTyping || isThrottled(key, request.isTyping)) return;
    try {
      if (!(await connection.gate.mayCallNow("setTyping"))) return;
      const view = toProviderHandover(conversation, handover, handover.attempt, connection);
      await callVendor(
        context,
        { connection, method: "setTyping", idempotencyKey: randomId(context.random), isOffline: true },
        async (call, handle) => handle.setTyping?.(view, request.isTyping, call),
      );
    } catch (error) {
      context.logger.debug(`A typing sign did not reach the desk: ${errorSummary(error)}`, { connection: connection.name });
    }
  };
}
