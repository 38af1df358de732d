// @ts-check
// Typing, both ways: our own goes out rarely, that of others never stays for ever.

/** @import { TypingModule } from "./chat-types.d.ts" */

const atMostEveryMs = 3_000;

/** @type {TypingModule["createTypingSignal"]} */
export function createTypingSignal({ post, isWanted, nowMs }) {
  let saidTyping = false;
  let lastSaidAtMs = Number.NEGATIVE_INFINITY;
  return {
    fieldChanged(isEmpty) {
      if (!isWanted()) {
        saidTyping = false;
        return;
      }
      if (isEmpty) {
        if (saidTyping) post(false);
        saidTyping = false;
      } else if (nowMs() - lastSaidAtMs >= atMostEveryMs) {
        saidTyping = true;
        lastSaidAtMs = nowMs();
        post(true);
      }
    },
  };
}

/** @type {TypingModule["createTypingDisplay"]} */
export function createTypingDisplay({ onChange, expiresAfterMs = 10_000 }) {
  /** @type {Map<string, { name: string, timer: ReturnType<typeof setTimeout> }>} */
  const typists = new Map();

  /** @param {string} key */
  function remove(key) {
    clearTimeout(typists.get(key)?.timer);
    return typists.delete(key);
  }

  return {
    take({ author, isTyping }) {
      if (!author || author.role === "user") return;
      const key = `${author.role}:${author.id ?? author.name ?? ""}`;
      const wasThere = remove(key);
      if (isTyping) typists.set(key, { name: author.name ?? "", timer: setTimeout(() => remove(key) && onChange(), expiresAfterMs) });
      if (isTyping || wasThere) onChange();
    },
    clear() {
      if (typists.size === 0) return;
      for (const key of [...typists.keys()]) remove(key);
      onChange();
    },
    names: () => [...typists.values()].map((typist) => typist.name),
  };
}
