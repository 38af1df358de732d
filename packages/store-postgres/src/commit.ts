import { deliveryRank, isOpenHandover } from "@handover/runtime";
import type {
  Commit,
  CommitResult,
  ConversationPatch,
  EntryAmendment,
  HandoverRecord,
  NewDelivery,
  NewEntry,
  PartRecord,
} from "@handover/runtime";
import { toColumnText, toLookupText } from "./column-text.ts";
import { toJournalItems } from "./journal.ts";
import { referenceLocks } from "./reference-locks.ts";
import { foreignHandover } from "./store-error.ts";

/** What `commit_v1` answers. `touched`: keys of the conversations that changed, as columns have them. */
export type CommitAnswer = CommitResult & { readonly touched?: readonly string[] };

/**
 * A commit as the request of `commit_v1`. What is to be stored is JSON within JSON: the server shall keep it as it is, and not read
 * it, because it has no NUL and no lone surrogates. Empty lists are left out.
 */
export function toCommitRequest(schema: string, commit: Commit): string {
  const { conversation, create, fence, expectVersion, expectLastSeq, update = {} } = commit;
  const { append = [], amend = [], handovers = [], parts = [], consume = [], references = [], deliveries = [], journal = [] } = commit;
  const [key, longKey] = [toLookupText(conversation), toColumnText(conversation)];
  return JSON.stringify({
    key,
    address: create && JSON.stringify(create),
    longKey: key === longKey ? undefined : longKey,
    fence,
    expectVersion,
    expectLastSeq,
    append: unlessEmpty(append.map(toEntry)),
    contentFrom: append[0] && (Date.parse(append[0].at) || 0),
    amend: unlessEmpty(amend.map(toAmendment)),
    update: Object.keys(update).length === 0 ? undefined : toPatch(update),
    handovers: unlessEmpty(handovers.map((handover) => toHandover(conversation, handover))),
    parts: unlessEmpty(parts.map(toPart)),
    consume: unlessEmpty(consume),
    references: unlessEmpty(
      references.map((addition) => ({
        account: toLookupText(addition.accountKey),
        handover: toColumnText(addition.handover),
        references: addition.references.map(toLookupText),
      })),
    ),
    deliveries: unlessEmpty(deliveries.map(toDelivery)),
    journal: unlessEmpty(toJournalItems(journal)),
    locks: unlessEmpty(referenceLocks(schema, { added: references, lookedUp: deliveries })),
  });
}

/** Deliveries as the request of `receive_v1`. */
export function toReceiveRequest(schema: string, deliveries: readonly NewDelivery[]): string {
  return JSON.stringify({
    deliveries: deliveries.map(toDelivery),
    locks: referenceLocks(schema, { added: [], lookedUp: deliveries }),
  });
}

function unlessEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function toEntry(entry: NewEntry) {
  return { source: toLookupText(entry.source), id: toLookupText(entry.id), record: JSON.stringify(entry) };
}

function toAmendment({ seq, delivery, isPossiblyDuplicated }: EntryAmendment) {
  return { seq, delivery: delivery && deliveryRank(delivery), is_possibly_duplicated: isPossiblyDuplicated };
}

function toPatch({ user, botRetry, currentHandover, lastHandover, ...counters }: ConversationPatch) {
  return {
    ...counters,
    ...(user === undefined ? {} : { user: JSON.stringify(user) }),
    ...(botRetry === undefined ? {} : { botRetry: botRetry && JSON.stringify(botRetry) }),
    ...(currentHandover === undefined ? {} : { currentHandover: currentHandover && toColumnText(currentHandover) }),
    ...(lastHandover === undefined ? {} : { lastHandover: toColumnText(lastHandover) }),
  };
}

/** An ended handover is open as long as one of its conversations at a vendor still has to be ended. */
function toHandover(conversation: string, handover: HandoverRecord) {
  const { id, ordinal } = handover;
  if (handover.conversation !== conversation) throw foreignHandover();
  return {
    id: toColumnText(id),
    ordinal,
    is_open: isOpenHandover(handover),
    record: JSON.stringify(handover),
  };
}

function toPart(part: PartRecord) {
  const { handover, attempt, seq, index, key, vendorMessageId, status } = part;
  return {
    handover: toColumnText(handover),
    attempt,
    seq,
    number: index,
    key: toLookupText(key),
    vendor_message_id: vendorMessageId === undefined ? null : toLookupText(vendorMessageId),
    is_open: status === "planned" || status === "sending" || status === "unclear",
    record: JSON.stringify(part),
  };
}

function toDelivery(delivery: NewDelivery) {
  const { accountKey, id, references, receivedAtMs } = delivery;
  return {
    account: toLookupText(accountKey),
    id: id === undefined ? null : toLookupText(id),
    references: references.map(toLookupText),
    received_at: Math.floor(receivedAtMs),
    record: JSON.stringify(delivery),
  };
}
