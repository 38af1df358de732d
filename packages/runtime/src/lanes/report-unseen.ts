import { callVendor } from "../connections/call-vendor.ts";
import type { UnseenMessage } from "../handover/draft.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { AttemptRecord, ConversationRecord, HandoverRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { randomId } from "../support/system-random.ts";

/**
 * Tells the desk that the user will never see one of its messages. Runs beside the lanes: once, without state; a desk that
 * cannot be told now is not told later.
 */
export function reportUnseen(
  context: RuntimeContext,
  conversation: ConversationRecord,
  handover: HandoverRecord,
  message: UnseenMessage,
): void {
  const attempt = [handover.attempt, ...handover.leaving.toReversed()].find(({ connection }) => connection === message.connection);
  if (!attempt?.state || !context.connections.has(message.connection)) return;
  void report(context, { conversation, handover, attempt, message });
}

async function report(
  context: RuntimeContext,
  given: {
    readonly conversation: ConversationRecord;
    readonly handover: HandoverRecord;
    readonly attempt: AttemptRecord;
    readonly message: UnseenMessage;
  },
): Promise<void> {
  const { connection: name, vendorMessageId, atMs, reason } = given.message;
  const count = (result: string) => context.metrics.count("handover_reports_total", { connection: name, result });
  try {
    const connection = context.connections.get(name);
    if (!connection.handle.reportDelivery) return count("unsupported");
    if (!(await connection.gate.mayCallNow("reportDelivery"))) return count("dropped");
    const view = toProviderHandover(given.conversation, given.handover, given.attempt, connection);
    const told = { vendorMessageIds: [vendorMessageId], upToMs: atMs, status: "failed" as const, reason };
    await callVendor(
      context,
      // Not every desk lets everybody report: that must not hold up its messages.
      { connection, method: "reportDelivery", idempotencyKey: randomId(context.random), isOffline: true },
      async (call, handle) => handle.reportDelivery?.(view, told, call),
    );
    count("OK");
  } catch (error) {
    count("failed");
    context.logger.debug(`The desk could not be told that a message was not shown: ${errorSummary(error)}`, { connection: name });
  }
}
