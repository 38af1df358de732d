import type { Store } from "../store/store.ts";
import type { EventSurroundings } from "./apply-events.ts";
import { entriesAfter } from "./desk-entries.ts";
import type { Draft } from "./draft.ts";

/** What the events of a delivery look up in the store. */
export type EventLookups = Pick<EventSurroundings, "findPart" | "readParts" | "findEntry" | "readEntries" | "findNotice" | "findMessage">;

/**
 * Looks up what belongs to the handover of a draft.
 *
 * @param onError gets every error of the store, before it is thrown
 */
export function createEventLookups(store: Store, draft: Draft, onError: (error: unknown) => void = () => undefined): EventLookups {
  const { id, conversation, attempt } = draft.handover;

  async function read<Value>(value: Promise<Value>): Promise<Value> {
    try {
      return await value;
    } catch (error) {
      onError(error);
      throw error;
    }
  }

  return {
    findPart: (by) => read(store.findPart(id, by)),
    readParts: (seq) => read(store.readParts(id, attempt.number, seq)),
    async findEntry(seq) {
      const [entry] = await read(store.readEntries(conversation, { after: seq - 1, limit: 1 }));
      return entry?.seq === seq ? entry : undefined;
    },
    async *readEntries(after) {
      try {
        yield* entriesAfter(store, conversation, after);
      } catch (error) {
        onError(error);
        throw error;
      }
    },
    findNotice: async (noticeId) => (await read(store.findEntry(conversation, "runtime", noticeId)))?.seq,
    findMessage: async (vendorMessageId) => (await read(store.findEntry(conversation, attempt.connection, vendorMessageId)))?.seq,
  };
}
