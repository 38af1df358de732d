import type { DeliveryStatus, HandoverEvent } from "@handover/core";
import type { StoredEntry } from "../entry.ts";
import { deliveryRank, laterDelivery } from "../store/amend.ts";
import type { PartRecord } from "../store/records.ts";
import type { EventSurroundings } from "./apply-events.ts";
import { changeAttempt, showNotice, type Draft } from "./draft.ts";

type DeliveryChange = Extract<HandoverEvent, { type: "delivery-changed" }>;

/** Marks the user's messages that a delivery state of the desk is about. Twice or in another order, it means the same. */
export async function applyDeliveryChange(draft: Draft, event: DeliveryChange, surroundings: EventSurroundings): Promise<void> {
  const { target, status } = event;
  if ("vendorMessageIds" in target) {
    for (const vendorMessageId of target.vendorMessageIds) await markPart(draft, vendorMessageId, status, surroundings);
  } else if (status !== "failed") {
    await markThrough(draft, status, "upToMs" in target ? target.upToMs : Infinity, surroundings);
  }
}

/** One message of the desk's is a part of an entry: the entry is where the part that is furthest behind is. */
async function markPart(draft: Draft, vendorMessageId: string, status: DeliveryStatus, surroundings: EventSurroundings): Promise<void> {
  const found = await surroundings.findPart({ vendorMessageId });
  if (!found) return;
  const part = draft.parts.findLast(({ key }) => key === found.key) ?? found;
  const delivery = laterDelivery(part.delivery, status);
  if (delivery === undefined || delivery === part.delivery) return;
  const hasFailed = delivery === "failed" && part.status !== "failed";
  const marked: PartRecord = { ...part, delivery, ...(hasFailed ? { status: "failed" } : {}) };
  draft.parts.push(marked);
  if (hasFailed) {
    const { messageFailed } = surroundings.texts;
    showNotice(draft, "message-failed", { about: part.seq, ...(messageFailed === "" ? {} : { text: messageFailed }) });
  }
  if (part.part.message.author.role !== "user") return;
  const parts = part.count > 1 ? await partsOf(draft, part, surroundings) : [marked];
  const entryDelivery = deliveryOfParts(parts, part.count);
  const entry = entryDelivery && (await surroundings.findEntry(part.seq));
  if (entry) amend(draft, entry, entryDelivery);
}

/** The parts of a part's entry, as they will be. */
async function partsOf(draft: Draft, { seq }: PartRecord, surroundings: EventSurroundings): Promise<readonly PartRecord[]> {
  const stored = await surroundings.readParts(seq);
  return stored.map((part) => draft.parts.findLast(({ key }) => key === part.key) ?? part);
}

function deliveryOfParts(parts: readonly PartRecord[], count: number): DeliveryStatus | undefined {
  if (parts.some(({ delivery }) => delivery === "failed")) return "failed";
  if (parts.length < count || parts.some(({ delivery }) => delivery === undefined)) return undefined;
  return parts.every(({ delivery }) => delivery === "read") ? "read" : "delivered";
}

/** Marks what the desk has got by now and by that time, from where the last such mark ended. */
async function markThrough(draft: Draft, status: "delivered" | "read", upToMs: number, surroundings: EventSurroundings): Promise<void> {
  const { handover } = draft;
  const { receipts, liveThrough } = handover.attempt;
  const marked = Math.max(receipts?.readThrough ?? 0, status === "delivered" ? (receipts?.deliveredThrough ?? 0) : 0);
  let through = marked;
  for await (const entry of surroundings.readEntries(Math.max(marked, handover.takesAfter))) {
    if (entry.seq > liveThrough) break;
    if (isLiveMessageOfUser(entry)) {
      const parts = await surroundings.readParts(entry.seq);
      if (parts.some(({ firstAtMs = 0 }) => firstAtMs > upToMs)) break;
      if (parts.length > 0 && parts.every((part) => part.status === "sent")) amend(draft, entry, status);
    }
    through = entry.seq;
  }
  if (through > marked) changeAttempt(draft, { receipts: { ...receipts, [`${status}Through`]: through } });
}

function isLiveMessageOfUser({ kind, author, source }: StoredEntry): boolean {
  return kind === "message" && author?.role === "user" && source !== "transcript";
}

function amend(draft: Draft, entry: StoredEntry, delivery: DeliveryStatus): void {
  const known = draft.amend.findLast(({ seq, delivery: earlier }) => seq === entry.seq && earlier)?.delivery ?? entry.delivery;
  if (deliveryRank(delivery) > deliveryRank(known)) draft.amend.push({ seq: entry.seq, delivery });
}
