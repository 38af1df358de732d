import type { ConversationAddress, HandoverRuntime } from "@handover/runtime";

/** Counts who reads a conversation here: its user is there as long as one of the tabs is. */
export interface ReaderCount {
  /** A reader has come. @returns to be called once when it goes */
  arrive(address: ConversationAddress): () => void;
}

/** Tells the runtime of the first reader that comes and of the last one that goes. It knows how long an absence has to last. */
export function createReaderCount(runtime: HandoverRuntime): ReaderCount {
  const counts = new Map<string, number>();

  /** Whoever goes while the host stops is missed by the next one. */
  const say = (address: ConversationAddress, isPresent: boolean) =>
    void runtime.setPresence({ ...address, isPresent }).catch(() => undefined);

  return {
    arrive(address) {
      const key = JSON.stringify([address.endpoint, address.conversation]);
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      if (count === 0) say(address, true);
      return () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
        if (left === 0) say(address, false);
      };
    },
  };
}
