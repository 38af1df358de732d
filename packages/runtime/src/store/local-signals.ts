import type { Json, Logger } from "@handover/core";

/** Who in this process wants to hear of what: the part of a store's signals that needs no other process. */
export interface LocalSignals {
  /** Tells those who subscribed to the topic, one after the other; one that throws does not disturb the others. */
  tellTopic(topic: string, data: Json): void;
  /** @returns how to stop */
  subscribe(topic: string, listener: (data: Json) => void): () => void;
  /** Tells those who watch that these conversations changed. */
  tellChanged(conversations: Iterable<string>): void;
  /** @returns how to stop */
  watch(listener: (conversation: string) => void): () => void;
}

/** For authors of stores. @param logger gets an error when a listener throws */
export function createLocalSignals(logger?: Logger): LocalSignals {
  const topics = new Map<string, Set<(data: Json) => void>>();
  const watchers = new Set<(conversation: string) => void>();

  function tell<Data>(listeners: Iterable<(data: Data) => void>, data: Data): void {
    for (const listener of [...listeners]) {
      try {
        listener(data);
      } catch (error) {
        logger?.error("a listener of the store failed", { error: error instanceof Error ? error.name : typeof error });
      }
    }
  }

  return {
    tellTopic(topic, data) {
      tell(topics.get(topic) ?? [], data);
    },
    subscribe(topic, listener) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic);
      };
    },
    tellChanged(conversations) {
      for (const conversation of conversations) tell(watchers, conversation);
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
  };
}
