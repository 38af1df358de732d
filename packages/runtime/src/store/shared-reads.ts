import type { Store } from "./store.ts";

const sharedReads = new Set<string | symbol>([
  "readConversation",
  "readEntries",
  "readHandover",
  "readInbox",
  "readOpenHandovers",
  "readOpenParts",
] satisfies (keyof Store)[]);

type Method = (...given: readonly unknown[]) => unknown;

/**
 * Lets those who ask for the same at the same moment share one answer: every change wakes all lanes of its conversation, and most of
 * them begin with the same questions.
 *
 * A question is forgotten in the next microtask, and whoever learns of a later change learns of it in a later one. So nobody gets an
 * answer that is older than their question.
 */
export function shareReads(store: Store): Store {
  const asked = new Map<string, unknown>();

  function ask(question: string, read: () => unknown): unknown {
    const known = asked.get(question);
    if (known !== undefined) return known;
    const answer = read();
    asked.set(question, answer);
    queueMicrotask(() => asked.delete(question));
    return answer;
  }

  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method: Method = (value as Method).bind(target);
      if (!sharedReads.has(name)) return method;
      return (...given: readonly unknown[]) => ask(JSON.stringify([name, given]), () => method(...given));
    },
  });
}
