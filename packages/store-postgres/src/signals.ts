import type { Json, Logger } from "@handover/core";

/** Who in this process wants to hear of what; a listener that throws does not disturb the others. */
export interface Signals {
  tellTopic(topic: string, data: Json): void;
  subscribe(topic: string, listener: (data: Json) => void): () => void;
  tellChanged(conversations: Iterable<string>): void;
  watch(listener: (conversation: string) => void): () => void;
}

export function createSignals(logger?: Logger): Signals {
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
