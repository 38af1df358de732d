import type { DeliveryStatus } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import { conversationKey } from "../conversation/conversation-key.ts";
import { transact } from "../conversation/transact.ts";
import { requireEndpoint } from "../endpoints.ts";
import type { StoredEntry } from "../entry.ts";
import { RuntimeError } from "../errors.ts";
import { entriesAfter } from "../handover/desk-entries.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { setNewest } from "../support/set-newest.ts";
import { randomId } from "../support/system-random.ts";

/** Tells desks how far their user has got and read what they wrote: best effort, gathered, beside the lanes. */
export interface UserReceipts {
  /** @throws RuntimeError `INVALID_SEQ` beyond the end of the conversation */
  read(request: ConversationAddress & { readonly seq: number }): Promise<void>;
  delivered(request: ConversationAddress & { readonly seq: number }): void;
  /** The user's channel has taken an entry. */
  deliveredTo(key: string, seq: number): void;
  /** Nothing is told any more. */
  stop(): void;
}

const rememberedKeys = 10_000;
/** No desk needs more ids than these: `upToMs` says it of the older ones. */
const namedIds = 100;

/** What waits to be told about one conversation. */
interface Waiting {
  readSeq: number;
  deliveredSeq: number;
  readonly cancel: () => void;
}

/** The desk's messages in a stretch of the log. */
interface Stretch {
  readonly ids: readonly string[];
  readonly upToMs: number;
}

/** Receipts of all conversations of this process. */
export function createUserReceipts(context: RuntimeContext): UserReceipts {
  const waiting = new Map<string, Waiting>();
  /** How far the desk was told that the user has got its messages; only in memory. */
  const delivered = new Map<string, number>();
  let isStopped = false;

  /** False where no desk can be told: then nobody needs to look what there is to tell. */
  function canAnybodyListen(): boolean {
    const { connections } = context;
    return connections.names.some((name) => connections.get(name).handle.reportDelivery !== undefined);
  }

  /** What comes within one window is told together; what was read, at once where nothing was told a moment ago. */
  function note(key: string, news: { readonly readSeq?: number; readonly deliveredSeq?: number }): void {
    if (isStopped) return;
    const known = waiting.get(key);
    if (known) {
      known.readSeq = Math.max(known.readSeq, news.readSeq ?? 0);
      known.deliveredSeq = Math.max(known.deliveredSeq, news.deliveredSeq ?? 0);
      return;
    }
    const cancel = context.clock.after(context.timing.receiptWindowMs, () => windowOver(key));
    waiting.set(key, { readSeq: 0, deliveredSeq: news.deliveredSeq ?? 0, cancel });
    if (news.readSeq !== undefined) void tell(key, { readSeq: news.readSeq, deliveredSeq: 0 });
  }

  function windowOver(key: string): void {
    const news = waiting.get(key);
    waiting.delete(key);
    if (!news || isStopped || (news.readSeq === 0 && news.deliveredSeq === 0)) return;
    // The next ones wait for the next window.
    waiting.set(key, { readSeq: 0, deliveredSeq: 0, cancel: context.clock.after(context.timing.receiptWindowMs, () => windowOver(key)) });
    void tell(key, news);
  }

  async function tell(key: string, { readSeq, deliveredSeq }: { readonly readSeq: number; readonly deliveredSeq: number }): Promise<void> {
    try {
      if (readSeq > 0) await tellRead(context, key, readSeq);
      if (deliveredSeq > readSeq) await tellDelivered(key, deliveredSeq);
    } catch (error) {
      context.logger.debug(`A receipt was dropped: ${errorSummary(error)}`);
    }
  }

  async function tellDelivered(key: string, seq: number): Promise<void> {
    const found = await readServing(context, key);
    if (!found) return;
    const { handover } = found;
    const from = Math.max(delivered.get(key) ?? 0, handover.readThrough ?? 0, handover.requestedSeq);
    if (seq <= from) return;
    setNewest(delivered, key, seq, rememberedKeys);
    const stretch = await readStretch(context, handover, from, seq);
    if (stretch) await report(context, found, stretch, "delivered");
  }

  function deliveredTo(key: string, seq: number): void {
    if (canAnybodyListen() && (delivered.get(key) ?? 0) < seq) note(key, { deliveredSeq: seq });
  }

  return {
    deliveredTo,
    delivered(request) {
      requireEndpoint(context.endpoints, request.endpoint);
      deliveredTo(conversationKey(request), request.seq);
    },
    async read(request) {
      requireEndpoint(context.endpoints, request.endpoint);
      const key = conversationKey(request);
      const lastSeq = (await context.store.readConversation(key))?.lastSeq ?? 0;
      if (!Number.isInteger(request.seq) || request.seq < 1 || request.seq > lastSeq) {
        throw new RuntimeError("INVALID_SEQ", 'The conversation has no such entry. Send the "seq" of one that was received.');
      }
      note(key, { readSeq: request.seq });
    },
    stop() {
      isStopped = true;
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    },
  };
}

/** The handover whose desk may be told: the one that runs, or the one that ended last. */
interface Serving {
  readonly conversation: ConversationRecord;
  readonly handover: HandoverRecord;
  readonly connection: Connection;
}

async function readServing(context: RuntimeContext, key: string): Promise<Serving | undefined> {
  const conversation = await context.store.readConversation(key);
  const id = conversation?.currentHandover ?? conversation?.lastHandover;
  const handover = id === undefined ? undefined : await context.store.readHandover(id);
  if (!conversation || !handover?.attempt.state || !context.connections.has(handover.attempt.connection)) return undefined;
  const connection = context.connections.get(handover.attempt.connection);
  return connection.handle.reportDelivery ? { conversation, handover, connection } : undefined;
}

/** The user has read up to there: written down before the desk is told, so that it is told once by all instances together. */
async function tellRead(context: RuntimeContext, key: string, seq: number): Promise<void> {
  // Another instance may have written in between: then what is left is told.
  while (!(await tryTellRead(context, key, seq)));
}

/** @returns whether there is nothing left to do */
async function tryTellRead(context: RuntimeContext, key: string, seq: number): Promise<boolean> {
  const found = await readServing(context, key);
  if (!found) return true;
  const from = readFrom(found.handover);
  const stretch = seq > from ? await readStretch(context, found.handover, from, seq) : undefined;
  if (!stretch) return true;
  const { result: isWritten } = await transact(context, { key }, async ({ conversation }) => {
    const handover = await context.store.readHandover(found.handover.id);
    if (!conversation || !handover) return { result: true };
    if (readFrom(handover) !== from) return { result: false };
    return { result: true, commit: { handovers: [{ ...handover, readThrough: seq }] } };
  });
  if (isWritten) await report(context, found, stretch, "read");
  return isWritten;
}

function readFrom({ readThrough, requestedSeq }: HandoverRecord): number {
  return readThrough ?? requestedSeq;
}

/** What the desk wrote after an entry, up to another one; nothing where it wrote nothing. */
async function readStretch(
  context: RuntimeContext,
  handover: HandoverRecord,
  after: number,
  through: number,
): Promise<Stretch | undefined> {
  const ids: string[] = [];
  let upToMs = 0;
  for await (const entry of entriesAfter(context.store, handover.conversation, after)) {
    if (entry.seq > through) break;
    if (!isOfDesk(handover, entry)) continue;
    ids.push(entry.id);
    upToMs = Math.max(upToMs, Date.parse(entry.sentAt ?? entry.at));
  }
  return ids.length === 0 ? undefined : { ids: ids.slice(-namedIds), upToMs };
}

function isOfDesk({ id, attempt }: HandoverRecord, { kind, handover, source, audience }: StoredEntry): boolean {
  return kind === "message" && handover === id && source === attempt.connection && audience.includes("user");
}

async function report(
  context: RuntimeContext,
  { conversation, handover, connection }: Serving,
  { ids, upToMs }: Stretch,
  status: Exclude<DeliveryStatus, "failed">,
): Promise<void> {
  const count = (result: string) => context.metrics.count("handover_receipts_total", { connection: connection.name, status, result });
  try {
    if (!(await connection.gate.mayCallNow("reportDelivery"))) return count("dropped");
    const view = toProviderHandover(conversation, handover, handover.attempt, connection);
    await callVendor(
      context,
      // Not every desk lets everybody report: that must not hold up its messages.
      { connection, method: "reportDelivery", idempotencyKey: randomId(context.random), isOffline: true },
      async (call, handle) => handle.reportDelivery?.(view, { vendorMessageIds: ids, upToMs, status }, call),
    );
    count("OK");
  } catch (error) {
    count("failed");
    context.logger.debug(`A desk could not be told that its messages were ${status}: ${errorSummary(error)}`, {
      connection: connection.name,
    });
  }
}
