import type { JournalItem } from "@handover/runtime";
import { toLookupText } from "./column-text.ts";

/** Journal items as `note_v1` takes them. */
export function toJournalItems(items: readonly JournalItem[]) {
  return items.map((item) => ({
    at: Math.floor(item.atMs),
    conversation: item.conversation === undefined ? null : toLookupText(item.conversation),
    record: JSON.stringify(item),
  }));
}
